/**
 * The bootstrap as it would be written now: rendered, and shown to Envoy.
 */
import { configurationError } from "../envoy/exits/configuration-error.ts";
import { lastTellingMessage, parseEnvoyLine } from "../envoy/exits/envoy-output.ts";
import { describeExit } from "../envoy/exits/exit.ts";
import { redactText } from "../telemetry/redact.ts";
import type { EnvoyRun } from "./envoy-run.ts";
import { failure, type Finding, ok } from "./finding.ts";

const name = "bootstrap";

/**
 * @param bootstrap as it was shown to Envoy, JSON
 * @param answer of `envoy --mode validate`
 */
export function judgeValidation(source: string, bootstrap: string, answer: EnvoyRun): Finding {
  const reason = whyRefused(bootstrap, answer);
  if (reason === undefined) return ok(name, `rendered from ${source}, and valid for Envoy`);
  return failure(
    name,
    `rendered from ${source}, but Envoy refuses it: ${reason}`,
    `correct ${source}, what ISTIO_BOOTSTRAP_OVERRIDE names, or the ProxyConfig that it is made from`,
  );
}

/** What Envoy has against a bootstrap, with the field where it tells; undefined when it takes it. */
export function whyRefused(bootstrap: string, { exit, output }: EnvoyRun): string | undefined {
  if (exit.kind === "exited" && exit.code === 0) return undefined;
  const lines = output.map(parseEnvoyLine);
  const error = configurationError(lines, JSON.parse(bootstrap));
  if (error !== undefined) {
    return redactText(error.field === undefined ? error.problem : `${error.field}: ${error.problem}`);
  }
  return redactText(lastTellingMessage(lines) ?? output.at(-1) ?? describeExit(exit));
}

/** A template that cannot be rendered; `message` says what to change. */
export function judgeTemplateError(message: string): Finding {
  return failure(name, message, "correct the template, or leave it out to use the one of the release");
}
