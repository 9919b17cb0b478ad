/**
 * Which bootstrap Envoy gets: the release's template, a user's template, or a finished file.
 */
import type { BootstrapParameters } from "../../bootstrap/parameters.ts";
import type { Json } from "../../bootstrap/parameters.ts";
import { goTemplateRemedy, isGoTemplate, type Template } from "../../bootstrap/render.ts";
import { bootstrapLimits } from "../../document/limits.ts";
import type { ConfigSources, FileContent } from "../sources/config-sources.ts";
import { type BootstrapChoice, bootstrapParameters } from "./bootstrap-parameters.ts";
import type { ConfigProblem } from "../../schema/config-problem.ts";
import { readDocument } from "../sources/read-document.ts";

/** Where the bootstrap comes from. */
export type BootstrapSource =
  | {
      readonly kind: "template";
      readonly template: Template;
      readonly parameters: Omit<BootstrapParameters, "adminSocketPath">;
      readonly override: Json | undefined;
    }
  /** ProxyConfig's customConfigFile: used as it is, but for the admin address. */
  | { readonly kind: "custom"; readonly bootstrap: Json };

/**
 * Where Istio's images have their Go template. A release's own stands for it, so that image and template need not be
 * changed together.
 */
const istiosTemplate = /^(?:\.?\/)?var\/lib\/istio\/envoy\/envoy_bootstrap_tmpl\.json$/;

/** Undefined when a problem was added. */
export function chooseBootstrap(
  choice: BootstrapChoice,
  problems: ConfigProblem[],
  warnings: string[],
): BootstrapSource | undefined {
  const { sources, env, proxy } = choice;
  if (env.ISTIO_BOOTSTRAP === "" && proxy.customConfigFile !== undefined) {
    const text = requiredFile(sources, proxy.customConfigFile, "ProxyConfig customConfigFile", problems);
    const bootstrap = text === undefined ? undefined : parseYaml(proxy.customConfigFile, text, problems);
    return bootstrap === undefined ? undefined : { kind: "custom", bootstrap };
  }
  const template = readTemplate(choice, problems, warnings);
  const override = readOverride(choice, problems, warnings);
  const parameters = bootstrapParameters(choice, problems, warnings);
  return template === undefined ? undefined : { kind: "template", template, parameters, override };
}

function readTemplate(
  choice: BootstrapChoice,
  problems: ConfigProblem[],
  warnings: string[],
): Template | undefined {
  const { sources } = choice;
  const asked = templateOf(choice);
  if (asked === undefined) return releaseTemplate(sources, problems);
  const [path, from] = asked;
  const text = requiredFile(sources, path, from, problems);
  if (text === undefined) return undefined;
  if (!isGoTemplate(text)) return { source: path, text };
  if (!istiosTemplate.test(path)) {
    problems.push({ source: from, path: "", message: `${path} ${goTemplateRemedy}` });
    return undefined;
  }
  warnings.push(`${from}: ${path} is Istio's own Go template; the release's template stands for it`);
  return releaseTemplate(sources, problems);
}

/** A release has its template as JSON too, which is read much faster. */
function releaseTemplate(sources: ConfigSources, problems: ConfigProblem[]): Template | undefined {
  const { templatePath } = sources;
  const json = sources.readFile(templatePath.replace(/yaml$/, "json"));
  if (json.kind === "read") return { source: templatePath, text: json.text };
  const text = requiredFile(sources, templatePath, "the release's template", problems);
  return text === undefined ? undefined : { source: templatePath, text };
}

function templateOf({
  flags,
  env,
  proxy,
}: BootstrapChoice): readonly [path: string, from: string] | undefined {
  if (env.ISTIO_BOOTSTRAP !== "") return [env.ISTIO_BOOTSTRAP, "ISTIO_BOOTSTRAP"];
  if (flags.templateFile !== undefined) return [flags.templateFile, "--templateFile"];
  if (proxy.proxyBootstrapTemplatePath !== undefined) {
    return [proxy.proxyBootstrapTemplatePath, "ProxyConfig proxyBootstrapTemplatePath"];
  }
  return undefined;
}

function requiredFile(
  sources: ConfigSources,
  path: string,
  from: string,
  problems: ConfigProblem[],
): string | undefined {
  const content = sources.readFile(path);
  if (content.kind === "read") return content.text;
  problems.push({ source: from, path: "", message: `${path} ${whyUnread(content)}` });
  return undefined;
}

function whyUnread(content: Exclude<FileContent, { kind: "read" }>): string {
  return content.kind === "missing" ? "does not exist" : `cannot be read: ${content.message}`;
}

/** A file that is not there is no reason not to start: injectors name one whether or not anybody has made it. */
function readOverride(
  { sources, env }: BootstrapChoice,
  problems: ConfigProblem[],
  warnings: string[],
): Json | undefined {
  const path = env.ISTIO_BOOTSTRAP_OVERRIDE;
  if (path === "") return undefined;
  const content = sources.readFile(path);
  if (content.kind === "read") return parseYaml(path, withHostIp(content.text, env.HOST_IP), problems);
  warnings.push(`ISTIO_BOOTSTRAP_OVERRIDE: ${path} ${whyUnread(content)}; nothing is overridden`);
  return undefined;
}

/** `$(HOST_IP)` in place; an IPv6 address gets brackets unless it stands in some. */
function withHostIp(text: string, hostIp: string): string {
  if (hostIp === "") return text;
  if (!hostIp.includes(":")) return text.replaceAll("$(HOST_IP)", hostIp);
  return text.replaceAll("[$(HOST_IP)]", `[${hostIp}]`).replaceAll("$(HOST_IP)", `[${hostIp}]`);
}

function parseYaml(source: string, text: string, problems: ConfigProblem[]): Json | undefined {
  const value = readDocument(source, text, bootstrapLimits, problems);
  if (value === undefined) return undefined;
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
  problems.push({ source, path: "", message: "must be a mapping of Envoy's bootstrap fields" });
  return undefined;
}
