/**
 * `outrider version`: which release this is, in the forms of `pilot-agent version`.
 */
import type { Command } from "../command/command.ts";
import { failedCode } from "./stopped-code.ts";
import { version } from "./version.ts";

/** Prints and ends. */
export const versionCommand: Command = {
  name: "version",
  describe: "Print which release this is.",
  flags: {
    short: { type: "boolean", default: false, alias: "s", describe: "Print the number alone." },
    output: { type: "string", alias: "o", describe: "yaml or json instead of text." },
  },
  async run(args, context) {
    const build = {
      version,
      engine: `Node.js ${process.version}`,
      platform: `${process.platform}/${process.arch}`,
    };
    const form = args.optionalString("output") ?? "";
    switch (form) {
      case "":
        context.print(
          args.boolean("short") ? version : `outrider ${version} (${build.engine}, ${build.platform})`,
        );
        return 0;
      case "json":
        context.print(JSON.stringify({ clientVersion: build }, undefined, 2));
        return 0;
      case "yaml": {
        const { stringify } = await import("yaml");
        context.print(stringify({ clientVersion: build }).trimEnd());
        return 0;
      }
      default:
        context.printError(`--output must be 'yaml' or 'json', not ${JSON.stringify(form)}`);
        return failedCode;
    }
  },
};
