/**
 * `outrider version`: which release and which Envoy this is, in the forms of `pilot-agent version`.
 */
import { join } from "node:path";
import type { Arguments, Command, CommandContext } from "../command/command.ts";
import { failedCode } from "./stopped-code.ts";
import { version } from "../command/version.ts";

/** Prints and ends. */
export const versionCommand: Command = {
  name: "version",
  describe: "Print which release this is, from which commit, and which Envoy it would run.",
  summary: "Which release and which Envoy this is",
  exitCodes: [
    { code: 0, meaning: "it was printed" },
    { code: 255, meaning: "--output is not yaml or json" },
  ],
  flags: {
    short: { type: "boolean", default: false, alias: "s", describe: "Print the number alone." },
    output: {
      type: "string",
      alias: "o",
      values: ["yaml", "json"],
      describe: "yaml or json instead of text.",
    },
  },
  run: printVersion,
};

async function printVersion(args: Arguments, context: CommandContext): Promise<number> {
  const form = args.optionalString("output") ?? "";
  if (!["", "yaml", "json"].includes(form)) {
    context.printError(`--output must be 'yaml' or 'json', not ${JSON.stringify(form)}`);
    return failedCode;
  }
  if (form === "" && args.boolean("short")) {
    context.print(version);
    return 0;
  }
  const { commitOf } = await import("./commit.ts");
  const [commit, envoy] = await Promise.all([commitOf(join(context.templates, "..")), envoyOf(context)]);
  const build = {
    version,
    ...(commit === undefined ? {} : { gitRevision: commit }),
    engine: `Node.js ${process.version}`,
    platform: `${process.platform}/${process.arch}`,
    ...(envoy === undefined ? {} : { envoy }),
  };
  if (form === "json") context.print(JSON.stringify({ clientVersion: build }, undefined, 2));
  else if (form === "yaml") {
    const { stringify } = await import("yaml");
    context.print(stringify({ clientVersion: build }).trimEnd());
  } else {
    const from = commit === undefined ? "" : `commit ${commit.slice(0, 12)}, `;
    context.print(`outrider ${version} (${from}${build.engine}, ${build.platform})`);
    context.print(
      envoy === undefined
        ? "Envoy: none is here; `outrider envoy` fetches one"
        : `Envoy ${shortOf(envoy.version)} (${envoy.path})`,
    );
  }
  return 0;
}

/** The number of `commit/1.40.0/Clean/RELEASE/BoringSSL`. */
function shortOf(envoyVersion: string): string {
  return envoyVersion.split("/")[1] ?? envoyVersion;
}

/** The Envoy that `proxy` would run; nothing is fetched for the answer. */
async function envoyOf({
  env,
}: CommandContext): Promise<{ readonly version: string; readonly path: string } | undefined> {
  const [{ envoyPathOf }, { findEnvoy }, { versionOf }] = await Promise.all([
    import("../config/sources/environment.ts"),
    import("../envoy/binary/ensure.ts"),
    import("../envoy/binary/version-of.ts"),
  ]);
  const located = findEnvoy({ binaryPath: undefined, envoyPath: envoyPathOf(env), env });
  if (located.kind !== "found") return undefined;
  const found = await versionOf(located.path).catch(() => undefined);
  return { version: found ?? "unknown: it does not answer --version", path: located.path };
}
