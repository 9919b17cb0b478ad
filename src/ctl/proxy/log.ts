/**
 * `outriderctl proxy-config log`: loggers of one Envoy and their levels, told or changed.
 */
import type { Arguments, CommandContext } from "../../command/command.ts";
import { unusableCode } from "../../command/exit-codes.ts";
import type { ProxySource } from "./find.ts";

/** One logger of an answer: `  http: warning`. */
const loggerLine = /^ {2}(\S+): \S+$/;

/** Names that this Envoy does not have are told before anything is changed: Envoy would only say that one is unknown. */
export async function showLog(
  args: Arguments,
  { admin, name }: ProxySource,
  context: CommandContext,
): Promise<number> {
  if (admin === undefined) {
    context.printError("--file: a file has no loggers: name a proxy");
    return unusableCode;
  }
  const level = args.boolean("reset") ? "warning" : args.optionalString("level");
  const wanted =
    level?.includes(":") === true ? level.split(",").map((part) => part.split(":")[0] ?? "") : [];
  if (wanted.length > 0) {
    const known = (await admin("POST", "/logging"))
      .split("\n")
      .flatMap((line) => loggerLine.exec(line)?.[1] ?? []);
    const missing = wanted.filter((logger) => !known.includes(logger));
    if (missing.length > 0) {
      context.printError(
        `--level: the Envoy of ${name} has no logger ${missing.join(", ")}: without --level its loggers are listed`,
      );
      return unusableCode;
    }
  }
  const query = level === undefined ? "" : wanted.length > 0 ? `?paths=${level}` : `?level=${level}`;
  const answer = await admin("POST", `/logging${query}`);
  for (const line of answer.trimEnd().split("\n")) context.print(line);
  return 0;
}
