/**
 * `outrider envoy`: which Envoy is used; fetches one where there is none.
 */
import type { Command } from "../command/command.ts";
import { progressLine } from "../command/progress-line.ts";

/** Prints path, place and version. */
export const envoyCommand: Command = {
  name: "envoy",
  describe: "Show which Envoy is used, and fetch one if there is none.",
  summary: "Which Envoy is used; fetch one if there is none",
  exitCodes: [
    { code: 0, meaning: "there is one" },
    { code: 1, meaning: "there is none, or it does not answer" },
  ],
  flags: {
    binaryPath: { type: "string", describe: "Envoy's binary, as in `proxy`." },
    path: { type: "boolean", default: false, describe: "Print the path only." },
  },
  async run(args, context) {
    const { envoyPathOf } = await import("../config/sources/environment.ts");
    const { ensureEnvoy, findEnvoy } = await import("../envoy/binary/ensure.ts");
    const { EnvoyFetchError } = await import("../envoy/binary/fetch.ts");
    const { versionOf } = await import("../envoy/binary/version-of.ts");
    const options = {
      binaryPath: args.optionalString("binaryPath"),
      envoyPath: envoyPathOf(context.env),
      env: context.env,
      signal: context.shutdown,
    };
    const located = findEnvoy(options);
    const progress = progressLine("fetching Envoy", context);
    let path: string;
    try {
      path = await ensureEnvoy(options, progress.update);
    } catch (error) {
      if (!(error instanceof EnvoyFetchError)) throw error;
      context.printError(error.message);
      return 1;
    } finally {
      progress.end();
    }
    if (args.boolean("path")) {
      context.print(path);
      return 0;
    }
    const version = await versionOf(path);
    context.print(`path     ${path}`);
    context.print(`found    ${located.kind === "found" ? located.source : "fetched just now"}`);
    context.print(`version  ${version ?? "unknown: it does not answer --version"}`);
    return version === undefined ? 1 : 0;
  },
};
