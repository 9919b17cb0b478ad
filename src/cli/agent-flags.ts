/**
 * The flags of commands that talk to the agent of their pod on its status port.
 */
import { flagsOf } from "../command/setting-flags.ts";
import { meshConfigFlag } from "../config/sources/istio-flags.ts";
import { ports } from "../schema/range.ts";
import type { Flag } from "../command/command.ts";

/** Where the agent is, and where to read that when it is not said. */
export const agentFlags = {
  statusPort: {
    type: "number",
    range: ports,
    describe: "Status port of the agent (default: that of the environment).",
  },
  ...flagsOf({ meshConfig: meshConfigFlag }),
} satisfies Readonly<Record<string, Flag>>;
