/**
 * Commands that print nothing of what is secret in their environment: what they show comes from there, from a running
 * agent or from Envoy, and goes to terminals, logs of CI and tickets.
 */
import type { Command } from "../command/command.ts";

/** The same command, whose output goes through a redactor. */
export function privately(command: Command): Command {
  return {
    ...command,
    async run(args, context) {
      const { privateContext } = await import("./private-context.ts");
      return command.run(args, privateContext(context).context);
    },
  };
}
