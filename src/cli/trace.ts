/**
 * `outrider trace`: which rules of traffic capture a connection meets, and where it ends.
 */
import { captureSettings } from "../capture/options/settings.ts";
import type { Command } from "../command/command.ts";
import type { NumberRange } from "../schema/range.ts";
import { captureFlags } from "./iptables/flags.ts";

const ids: NumberRange = { least: 0, most: 0xffff_fffe };

/** Exit code 0 when everything agrees, 1 when it does not or cannot be seen, 64 when a value is wrong. */
export const traceCommand: Command = {
  name: "trace",
  usage: "<address>",
  describe:
    "Show which rules of traffic capture a connection to HOST:PORT meets and where it lands: by the kernel's rules, and by a real one.",
  summary: "Where a connection lands, and by which rules",
  exitCodes: [
    { code: 0, meaning: "it was shown, and a real connection lands there" },
    { code: 1, meaning: "a real connection lands elsewhere, or it could not be found out" },
  ],
  flags: {
    from: {
      type: "string",
      describe: "A connection from this address to this pod, instead of one from this pod.",
    },
    uid: {
      type: "number",
      range: ids,
      describe: "User who connects; the caller unless given, and then nobody does.",
    },
    gid: { type: "number", range: ids, describe: "Group that connects; likewise." },
    planned: {
      type: "boolean",
      default: false,
      describe:
        "By what `outrider iptables` would do with the same flags and variables, not by the kernel's rules.",
    },
    probe: { type: "boolean", default: true, describe: "Make a real connection too; it sends nothing." },
    ...captureFlags(captureSettings),
  },
  async run(args, context) {
    const { traceConnection } = await import("./iptables/trace-connection.ts");
    return traceConnection(args, context);
  },
};
