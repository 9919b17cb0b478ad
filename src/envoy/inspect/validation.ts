/**
 * Envoy's own verdict on a bootstrap (`--mode validate`), in words.
 */
import { redactText } from "../../telemetry/redact.ts";
import type { ChildExit } from "../../process/child.ts";
import { configurationError } from "../exits/configuration-error.ts";
import { lastTellingMessage, parseEnvoyLine } from "../exits/envoy-output.ts";
import { describeExit } from "../exits/exit.ts";

/** The verdict, or why there is none. */
export type Validation =
  | { readonly kind: "valid" }
  | { readonly kind: "invalid"; readonly exit: ChildExit; readonly lines: readonly string[] }
  /** `complaint` is the shell's, to which execvp(3) hands what the kernel cannot run. */
  | { readonly kind: "not-a-program"; readonly complaint: string }
  | { readonly kind: "no-answer"; readonly afterMs: number }
  /** It could not be asked. */
  | { readonly kind: "not-asked"; readonly reason: string };

/** Longest text of Envoy's that is quoted, in characters. */
const quotedLength = 600;

/** Why an Envoy is not to be started from this bootstrap, without secrets; undefined when nothing is against it. */
export function whyInvalid(
  { binary, bootstrap }: { readonly binary: string; readonly bootstrap: string },
  validation: Validation,
): string | undefined {
  switch (validation.kind) {
    case "valid":
      return undefined;
    case "not-a-program":
      return `${binary} is no program that this machine can run, another architecture's or cut short: ${validation.complaint}`;
    case "no-answer":
      return `Envoy did not finish validating the bootstrap within ${validation.afterMs} ms`;
    case "not-asked":
      return `the bootstrap cannot be validated: ${validation.reason}`;
    case "invalid":
      return `Envoy refuses the bootstrap: ${complaintOf(bootstrap, validation)}`;
  }
}

/** What Envoy has against a bootstrap, with the field where it tells; without secrets. */
export function complaintOf(
  bootstrap: string,
  { exit, lines: output }: Extract<Validation, { kind: "invalid" }>,
): string {
  const lines = output.map(parseEnvoyLine);
  const error = configurationError(lines, JSON.parse(bootstrap));
  if (error !== undefined) {
    const { field, problem } = error;
    return quote(redactText(field === undefined ? problem : `${field}: ${problem}`));
  }
  const said = lastTellingMessage(lines) ?? output.findLast((line) => line.trim() !== "")?.trim();
  if (said === undefined) return describeExit(exit);
  const words = quote(redactText(said));
  return exit.kind === "exited" ? words : `${describeExit(exit)}: ${words}`;
}

function quote(text: string): string {
  return text.length <= quotedLength ? text : `${text.slice(0, quotedLength)}…`;
}
