/**
 * outriderctl's command line as a whole.
 */
import type { Program } from "../command/command.ts";
import { version } from "../command/version.ts";
import { commandGroups, commands } from "./commands.ts";
import { otherNames, prefixes } from "./istioctl-words.ts";

/** The operator's program. */
export const outriderctl: Program = {
  name: "outriderctl",
  describe: "See a mesh, ask it why, check what it is told, change it.",
  version,
  commands,
  groups: commandGroups,
  commonFlags: {},
  otherNames,
  prefixes,
};
