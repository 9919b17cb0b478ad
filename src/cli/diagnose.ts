/**
 * `outrider diagnose`: everything that helps to explain a sidecar, in one file without secrets.
 */
import { flagsOf } from "../command/setting-flags.ts";
import { meshConfigFlag } from "../config/sources/istio-flags.ts";
import { nameFlag } from "./agent-flags.ts";
import type { Command } from "../command/command.ts";

/** Works beside a running agent, and after a dead one. */
export const diagnoseCommand: Command = {
  name: "diagnose",
  describe:
    "Write a tar.gz that explains this pod's agent and Envoy, dead or alive, with every secret taken out.",
  summary: "Pack what explains agent and Envoy, dead or alive",
  exitCodes: [
    { code: 0, meaning: "the archive is written, however little there was to put into it" },
    { code: 1, meaning: "it is not" },
  ],
  flags: {
    output: {
      type: "string",
      describe:
        "File to write; - is standard output (default outrider-diagnose-<time>-<random>.tar.gz in the system's temporary folder).",
    },
    ...nameFlag,
    ...flagsOf({ meshConfig: meshConfigFlag }),
    binaryPath: { type: "string", describe: "Envoy's binary, as in `proxy`." },
  },
  run: async (args, context) => (await import("./diagnose/run.ts")).runDiagnose(args, context),
};
