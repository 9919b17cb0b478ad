/**
 * outrider.
 */
import { commandGroups, commands } from "./cli/commands.ts";
import { programOf } from "./cli/program.ts";
import { runProgram } from "./run-program.ts";

runProgram(programOf(commands, commandGroups));
