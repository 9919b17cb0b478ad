/**
 * What `outrider doctor` examines, for the commands that show it.
 */
import { join } from "node:path";
import type { Arguments, CommandContext } from "../command/command.ts";
import type { DoctorReport } from "../doctor/doctor.ts";
import { calledWith } from "./proxy.ts";
import { version } from "../command/version.ts";

/** What was found, without secrets of the configuration, and what prints more of that kind. */
export interface Examination extends DoctorReport {
  readonly context: CommandContext;
}

/**
 * Examine what `args` name, or the agent that they name.
 *
 * @returns undefined, and a line on standard error, where it is not clear which agent is meant
 */
export async function examineAgent(args: Arguments, given: CommandContext): Promise<Examination | undefined> {
  const [{ examine }, { privateContext }, { lookAround }, { agentArguments }] = await Promise.all([
    import("../doctor/doctor.ts"),
    import("../beside/private-context.ts"),
    import("../config/surroundings.ts"),
    import("./agent-arguments.ts"),
  ]);
  const examined = await agentArguments(args, given);
  if (examined === undefined) return undefined;
  const { env } = examined;
  const { context, redactor, readFile } = privateContext(given, env);
  const sources = { ...calledWith(examined.args), env, readFile };
  const report = await examine(
    {
      ...sources,
      ...(await lookAround(sources, undefined, examined.agentPid)),
      templatePath: join(context.templates, "sidecar.yaml"),
      version,
    },
    { unknownFlags: examined.args.unknown, flagsOf: examined.agentPid },
  );
  // Only here is known what was secret in the files that were read.
  return { ...report, findings: redactor.json(report.findings), context };
}
