/**
 * Exit codes that commands share.
 */
import type { Command, ExitCode } from "./command.ts";

/** A wrong command line, or a configuration that cannot be used: `EX_USAGE` of sysexits(3). */
export const unusableCode = 64;

/** Everything that a call of the command may end with. */
export function exitCodesOf({ exitCodes }: Pick<Command, "exitCodes">): readonly ExitCode[] {
  return exitCodes.some(({ code }) => code === unusableCode)
    ? exitCodes
    : [...exitCodes, { code: unusableCode, meaning: "the command line is wrong" }];
}
