/**
 * The flags that say what is to be installed, and what they come to.
 */
import type { Arguments, CommandContext, Flag } from "../../command/command.ts";
import { configurationLimits } from "../../document/limits.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { readGivenText } from "../given-text.ts";
import type { JsonObject } from "../../controlplane/config/json-value.ts";
import type { ReadSpec } from "./spec/read-spec.ts";

/** In the words of `istioctl install`. */
export const specFlags = {
  set: {
    type: "string",
    array: true,
    alias: "s",
    describe:
      "A setting, PATH=VALUE, as profile=demo or components.pilot.k8s.replicaCount=3; several times for several.",
  },
  filename: {
    type: "string",
    array: true,
    alias: "f",
    describe:
      "File with an IstioOperator, or - for standard input; of several each is laid over those before it.",
  },
  revision: {
    type: "string",
    alias: "r",
    describe: "Revision of the control plane, to have several beside each other (default: default).",
  },
} as const satisfies Readonly<Record<string, Flag>>;

/**
 * What is to be installed; undefined, and every problem on standard error, where that cannot be read.
 *
 * @param before what the installation was told before
 */
export async function specOfFlags(
  args: Arguments,
  { printError, shutdown, program }: Pick<CommandContext, "printError" | "shutdown" | "program">,
  before?: JsonObject,
): Promise<Extract<ReadSpec, { kind: "read" }> | undefined> {
  const files = new Map<string, string>();
  const problems: string[] = [];
  for (const path of args.strings("filename")) {
    try {
      const text = await readGivenText(path, { maxBytes: configurationLimits.maxBytes, signal: shutdown });
      files.set(path === "-" ? "standard input" : path, text);
    } catch (error) {
      problems.push(`--filename: ${path} cannot be read: ${errorMessage(error)}`);
    }
  }
  const { readSpec } = await import("./spec/read-spec.ts");
  const read = readSpec({
    files,
    sets: args.strings("set"),
    revision: args.optionalString("revision"),
    before,
    release: program.version,
  });
  if (read.kind === "refused") problems.push(...read.problems);
  for (const problem of problems) printError(problem);
  return read.kind === "read" && problems.length === 0 ? read : undefined;
}
