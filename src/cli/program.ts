/**
 * outrider's command line as a whole.
 */
import type { Command, CommandGroup, Program } from "../command/command.ts";
import { flagsOf } from "../command/setting-flags.ts";
import { logFlags } from "../config/sources/log-flags.ts";
import { version } from "../command/version.ts";

/** outrider with these commands, and these groups of them in its help. */
export function programOf(commands: readonly Command[], groups: readonly CommandGroup[] = []): Program {
  return {
    name: "outrider",
    describe: "The process beside Envoy.",
    version,
    commands,
    groups,
    commonFlags: flagsOf(logFlags),
  };
}
