/**
 * `outrider up`: a mesh on this machine.
 */
import { timerMs } from "../schema/range.ts";
import type { Command } from "../command/command.ts";

/** Runs until it is asked to stop, or once through the checks. */
export const upCommand: Command = {
  name: "up",
  describe: "Run a mesh on this machine: control plane and two sidecars with real Envoys.",
  summary: "Run a mesh on this machine, and watch it",
  exitCodes: [
    { code: 0, meaning: "it was asked to stop, or every check of --once passed" },
    { code: 1, meaning: "a check of --once failed, or a part of the mesh" },
    { code: 64, meaning: "ports, folders or flags cannot be used" },
  ],
  flags: {
    once: { type: "boolean", default: false, describe: "One round of checks, then stop; exit code 0 or 1." },
    configDir: {
      type: "string",
      describe: "Your folder of Istio YAML; one that is missing or empty gets the demo's, and stays.",
    },
    stateDir: {
      type: "string",
      describe: "Folder of the self-signed root and the demo token key (default $XDG_STATE_HOME/outrider).",
    },
    ports: {
      type: "string",
      default: "",
      describe: "Ports by name, such as web.admin=15000,api.status=16020; the others are free ones.",
    },
    binaryPath: { type: "string", describe: "Envoy's binary." },
    intervalMs: {
      type: "number",
      range: { least: 1, most: timerMs.most },
      default: 1_000,
      describe: "Time between two requests, in milliseconds.",
    },
  },
  run: async (args, context) => (await import("../demo/run.ts")).runUp(args, context),
};
