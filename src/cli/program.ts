/**
 * outrider's command line as a whole.
 */
import type { Command, Program } from "../command/command.ts";
import { flagsOf } from "../command/setting-flags.ts";
import { logFlags } from "../config/sources/log-flags.ts";
import { version } from "./version.ts";

/** outrider with these commands. */
export function programOf(commands: readonly Command[]): Program {
  return {
    name: "outrider",
    describe: "The process beside Envoy.",
    version,
    commands,
    commonFlags: flagsOf(logFlags),
  };
}
