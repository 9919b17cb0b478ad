/**
 * A template and its parameters become Envoy's bootstrap.
 *
 * The template is data (JSON-e in YAML), so the result is always well-formed and no template can run code.
 */
import jsone from "json-e";
import { bootstrapLimits } from "../document/limits.ts";
import { readYaml } from "../document/yaml.ts";
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

/** True for the templates of Istio's agent. */
export function isGoTemplate(text: string): boolean {
  // What opens is closed by the first brace that closes anything, so each part of the text is looked at once.
  for (let open = text.indexOf("{{"); open >= 0;) {
    const close = text.indexOf("}", open);
    if (close < 0) return false;
    if (text[close + 1] === "}") return true;
    open = text.indexOf("{{", close);
  }
  return false;
}

/** What is wrong with one, and what to do. */
export const goTemplateRemedy =
  "is a Go template, which Istio's agent renders: rewrite its {{ … }} as JSON-e holes " +
  "(see bootstrap-templates/sidecar.yaml), or put the changes into ISTIO_BOOTSTRAP_OVERRIDE";

/** @throws TemplateError */
export function renderBootstrap(template: Template, parameters: BootstrapParameters): Json {
  if (isGoTemplate(template.text)) throw new TemplateError(`${template.source} ${goTemplateRemedy}`);
  const data = dataOf(template);
  try {
    if (typeof data !== "object" || data === null) throw new Error("the template is not a YAML mapping");
    const rendered: unknown = jsone(data, { ...parameters });
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

function dataOf({ source, text }: Template): unknown {
  const document = readYaml(text, bootstrapLimits);
  if (document.kind === "read") return document.value;
  const [{ line, message } = { message: "" }] = document.faults;
  throw new TemplateError(`${source}${line === undefined ? "" : `: line ${line}`}: ${message}`);
}
