/**
 * `outriderctl bug-report`: everything that explains a mesh, in one file without secrets.
 */
import type { Command } from "../command/command.ts";
import { controlPlaneFlags } from "./control-plane/flags.ts";

/** In the words of `istioctl bug-report`. */
export const bugReportCommand: Command = {
  name: "bug-report",
  describe:
    "Write a tar.gz that explains a mesh: what the control plane has and has sent, what each agent of this machine and its " +
    "Envoy say, what analyze finds, and who did not answer, with every secret taken out. index.html in it opens in a " +
    "browser. Examples: outriderctl bug-report; outriderctl bug-report --output mesh.tar.gz --config mesh",
  summary: "Pack what explains a mesh, without secrets",
  exitCodes: [
    { code: 0, meaning: "the archive is written, whoever did not answer" },
    { code: 1, meaning: "it is not" },
  ],
  flags: {
    output: {
      type: "string",
      describe:
        "File to write; - is standard output (default outrider-bug-report-<time>-<random>.tar.gz in the system's temporary folder).",
    },
    config: {
      type: "string",
      describe: "Folder of the mesh's YAML to analyze (default: those of the control planes that run here).",
    },
    ...controlPlaneFlags,
  },
  mainFlags: ["output", "config"],
  run: async (args, context) => (await import("./bug-report/run.ts")).runBugReport(args, context),
};
