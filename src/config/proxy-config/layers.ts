/**
 * The sources that ProxyConfig is laid together from, as files and environment hold them.
 */
import { jsonValue } from "../../document/json.ts";
import { configurationLimits } from "../../document/limits.ts";
import { givenFlags, type PilotFlagValues } from "../sources/pilot-flags.ts";
import type { ConfigSources } from "../sources/config-sources.ts";
import type { ConfigProblem } from "../../schema/config-problem.ts";
import { paths } from "../sources/paths.ts";
import { optionalFile } from "../sources/optional-file.ts";
import type { PodValues } from "../sources/pod-info.ts";
import type { Field } from "./field.ts";
import type { ProxyConfigLayer } from "./merge.ts";
import { proxyConfigFields } from "./schema.ts";

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
    ...Object.entries<Field>(proxyConfigFields).flatMap(([field, { annotation }]) => {
      const value = annotation === undefined ? undefined : from.annotations?.[annotation];
      const source = `${paths.podAnnotations}: ${annotation}`;
      return value === undefined ? [] : [{ source, fields: { [field]: value } }];
    }),
  ];
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
