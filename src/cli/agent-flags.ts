/**
 * The flags of commands that talk to the agent of their pod on its status port.
 */
import { flagsOf } from "../command/setting-flags.ts";
import { meshConfigFlag } from "../config/sources/istio-flags.ts";
import { ports } from "../schema/range.ts";
import type { Flag } from "../command/command.ts";

/** Which of several agents is meant. */
export const nameFlag = {
  name: {
    type: "string",
    describe: "Name of the agent where several run, such as web-1.demo, or how it begins.",
    valuesFrom: "status --names",
  },
} as const satisfies Readonly<Record<string, Flag>>;

/** Where the agent is, and where to read that when it is not said. */
export const agentFlags = {
  statusPort: {
    type: "number",
    range: ports,
    describe:
      "Status port of the agent (default: that of the environment, or of the only agent that runs here).",
  },
  ...nameFlag,
  ...flagsOf({ meshConfig: meshConfigFlag }),
} satisfies Readonly<Record<string, Flag>>;
