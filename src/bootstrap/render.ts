/**
 * A template and its parameters become Envoy's bootstrap.
 *
 * The template is data (JSON-e in YAML), so the result is always well-formed and no template can run code.
 */
import jsone from "json-e";
import { parseDocument } from "yaml";
import { errorMessage } from "../lifecycle/error-message.ts";
import type { BootstrapParameters, Json } from "./parameters.ts";

/** The template cannot be used; the message names it and says what to change. */
export class TemplateError extends Error {
  override readonly name = "TemplateError";
}

/** A bootstrap template as read. */
export interface Template {
  /** File name, for messages. */
  readonly source: string;
  readonly text: string;
}

/** @throws TemplateError */
export function renderBootstrap(template: Template, parameters: BootstrapParameters): Json {
  if (/\{\{[^}]*\}\}/.test(template.text)) {
    throw new TemplateError(
      `${template.source} is a Go template, which Istio's agent renders: rewrite its {{ … }} as JSON-e holes ` +
        "(see bootstrap-templates/sidecar.yaml), or put the changes into ISTIO_BOOTSTRAP_OVERRIDE",
    );
  }
  const document = parseDocument(template.text);
  const [problem] = document.errors;
  if (problem !== undefined) throw new TemplateError(`${template.source}: ${problem.message}`);
  try {
    const rendered: unknown = jsone(document.toJS({ maxAliasCount: -1 }), { ...parameters });
    if (typeof rendered !== "object" || rendered === null) {
      throw new Error("the template is not a YAML mapping");
    }
    return rendered as Json;
  } catch (error) {
    throw new TemplateError(`${template.source} cannot be rendered: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}
