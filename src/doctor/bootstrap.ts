/**
 * The bootstrap as it would be written now: rendered, and shown to Envoy.
 */
import { complaintOf, type Validation, whyInvalid } from "../envoy/inspect/validation.ts";
import { failure, type Finding, ok } from "./finding.ts";

const name = "bootstrap";

/** @param launch what was shown to Envoy */
export function judgeValidation(
  source: string,
  launch: { readonly binary: string; readonly bootstrap: string },
  validation: Validation,
): Finding {
  if (validation.kind === "valid") return ok(name, `rendered from ${source}, and valid for Envoy`);
  const what =
    validation.kind === "invalid"
      ? `Envoy refuses it: ${complaintOf(launch.bootstrap, validation)}`
      : (whyInvalid(launch, validation) ?? "");
  return failure(
    name,
    `rendered from ${source}, but ${what}`,
    `correct ${source}, what ISTIO_BOOTSTRAP_OVERRIDE names, or the ProxyConfig that it is made from`,
  );
}

/** A template that cannot be rendered; `message` says what to change. */
export function judgeTemplateError(message: string): Finding {
  return failure(name, message, "correct the template, or leave it out to use the one of the release");
}
