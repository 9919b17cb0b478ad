/**
 * A command's context whose output has no secret of the configuration in it.
 *
 * Secrets are learned where they come in: from the environment at once, and from each file of the configuration when it
 * is read. What is printed, logged or kept later is compared with all of them.
 */
import { isDocumented } from "../config/sources/documented.ts";
import { readConfigFile } from "../config/sources/read-sources.ts";
import { secretsInText, secretsOfEnvironment } from "../telemetry/find-secrets.ts";
import { Redactor } from "../telemetry/redactor.ts";
import type { CommandContext } from "../command/command.ts";

/** What a command works with instead. */
export interface PrivateContext {
  readonly context: CommandContext;
  readonly redactor: Redactor;
  /** Reads a file of the configuration. */
  readonly readFile: typeof readConfigFile;
}

/** Longest file that is looked through, in characters: more is no configuration that a person has written. */
const longest = 2 ** 22;

/** @param also other environments whose secrets may come up, such as a running agent's */
export function privateContext(
  context: CommandContext,
  ...also: readonly Readonly<Record<string, string | undefined>>[]
): PrivateContext {
  const redactor = new Redactor();
  for (const env of [context.env, ...also]) redactor.learn(secretsOfEnvironment(env, isDocumented));
  const { terminal } = context;
  return {
    context: {
      ...context,
      print: (line) => {
        context.print(redactor.known(line));
      },
      printError: (line) => {
        context.printError(redactor.known(line));
      },
      terminal: terminal && {
        ...terminal,
        write: (text) => {
          terminal.write(redactor.known(text));
        },
      },
    },
    redactor,
    readFile: (path) => {
      const content = readConfigFile(path);
      // The release's own templates hold none.
      if (content.kind === "read" && content.text.length <= longest && !path.startsWith(context.templates))
        redactor.learn(secretsInText(content.text));
      return content;
    },
  };
}
