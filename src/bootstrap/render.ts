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

/** True for the templates of Istio's agent. */
export function isGoTemplate(text: string): boolean {
  return /\{\{[^}]*\}\}/.test(text);
}

/** What is wrong with one, and what to do. */
export const goTemplateRemedy =
  "is a Go template, which Istio's agent renders: rewrite its {{ … }} as JSON-e holes " +
  "(see bootstrap-templates/sidecar.yaml), or put the changes into ISTIO_BOOTSTRAP_OVERRIDE";

/** @throws TemplateError */
export function renderBootstrap(template: Template, parameters: BootstrapParameters): Json {
  if (isGoTemplate(template.text)) throw new TemplateError(`${template.source} ${goTemplateRemedy}`);
  const data = parseJson(template.text) ?? parseYaml(template);
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

/** The fast way for a template that is JSON: undefined for everything else. */
function parseJson(text: string): Json | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

function parseYaml({ source, text }: Template): Json {
  const document = parseDocument(text, { logLevel: "error" });
  const [problem] = document.errors;
  if (problem !== undefined) throw new TemplateError(`${source}: ${problem.message}`);
  try {
    return document.toJS({ maxAliasCount: 1_000 }) as Json;
  } catch (error) {
    throw new TemplateError(`${source}: ${errorMessage(error)}`, { cause: error });
  }
}
