/**
 * The sources that ProxyConfig is laid together from, as files and environment hold them.
 */
import { jsonValue } from "../../document/json.ts";
import { configurationLimits } from "../../document/limits.ts";
import { givenFlags, type PilotFlagValues } from "../sources/pilot-flags.ts";
import type { ConfigSources } from "../sources/config-sources.ts";
import type { ConfigProblem } from "../../schema/config-problem.ts";
import { paths } from "../sources/paths.ts";
import { parsePodInfo } from "../sources/pod-info.ts";
import type { ProxyConfigLayer } from "./merge.ts";

/** Labels or annotations of the pod; undefined where the downward API has no file. */
export type PodValues = Readonly<Record<string, string>> | undefined;

/** Annotations that set one field, over proxy.istio.io/config. */
const annotatedFields = [
  ["sidecar.istio.io/discoveryAddress", "discoveryAddress"],
  ["status.sidecar.istio.io/port", "statusPort"],
] as const;

/** Mesh config, PROXY_CONFIG and the pod's annotations, the weakest first. */
export function proxyConfigLayers(
  sources: Pick<ConfigSources, "readFile">,
  from: { readonly meshConfig: string; readonly proxyConfig: string; readonly annotations: PodValues },
  problems: ConfigProblem[],
): readonly ProxyConfigLayer[] {
  return [
    {
      source: from.meshConfig,
      text: optionalFile(sources, from.meshConfig, problems),
      path: "defaultConfig",
    },
    { source: "PROXY_CONFIG", text: from.proxyConfig, path: "" },
    {
      source: `${paths.podAnnotations}: proxy.istio.io/config`,
      text: from.annotations?.["proxy.istio.io/config"] ?? "",
      path: "",
    },
    ...annotatedFields.flatMap(([annotation, field]) => {
      const value = from.annotations?.[annotation];
      const source = `${paths.podAnnotations}: ${annotation}`;
      return value === undefined ? [] : [{ source, fields: { [field]: value } }];
    }),
  ];
}

/** Labels or annotations; a line that cannot be read is a problem. */
export function readPodInfo(
  sources: Pick<ConfigSources, "readFile">,
  path: string,
  problems: ConfigProblem[],
): PodValues {
  const text = optionalFile(sources, path, problems);
  if (text === "") return undefined;
  const info = parsePodInfo(text);
  if (info.kind === "read") return info.values;
  problems.push({ source: path, path: `line ${info.line}`, message: 'is not of the form key="value"' });
  return undefined;
}

/** A file that may be missing; one that is there but unreadable is a problem. */
function optionalFile(
  sources: Pick<ConfigSources, "readFile">,
  path: string,
  problems: ConfigProblem[],
): string {
  const content = sources.readFile(path);
  if (content.kind === "unreadable") problems.push({ source: path, path: "", message: content.message });
  return content.kind === "read" ? content.text : "";
}

/** The fields that flags set, each with its flag as source. */
export function flagLayers(given: PilotFlagValues): readonly ProxyConfigLayer[] {
  return givenFlags(given).flatMap(([name, flag, value]) => {
    if (flag.field === undefined) return [];
    const fields = flag.field
      .split(".")
      .reduceRight<unknown>((inner, part) => ({ [part]: inner }), flagValue(flag.field, value));
    return [{ source: `--${name}`, fields: fields as Readonly<Record<string, unknown>>, isPartial: true }];
  });
}

function flagValue(field: string, value: string): unknown {
  if (!field.endsWith("Service")) return value;
  return jsonValue(value, configurationLimits) ?? value;
}
