/**
 * ProxyConfig as it is laid together before a pod is made: the mesh's and the annotation's, read as the agent in the pod will read
 * them, and without the defaults, which the agent has itself.
 */
import type { ConfigProblem } from "../../schema/config-problem.ts";
import { decodeProxyConfig } from "./decode.ts";
import { mergeProxyConfig, type ProxyConfigLayer, type RawProxyConfig } from "./merge.ts";
import { checkServices } from "./service-checks.ts";

/** The fields that somebody has given, and everything that keeps them from being used, by its path. */
export interface GivenProxyConfig {
  readonly fields: RawProxyConfig;
  readonly problems: readonly { readonly path: string; readonly message: string }[];
}

const annotationName = "proxy.istio.io/config";

/** @param mesh `defaultConfig` of the mesh config @param annotation `proxy.istio.io/config`, empty for none */
export function readProxyConfig(mesh: RawProxyConfig, annotation: string): GivenProxyConfig {
  const problems: ConfigProblem[] = [];
  const layers: readonly ProxyConfigLayer[] = [
    { source: "defaultConfig", fields: mesh },
    { source: annotationName, text: annotation, path: "" },
  ];
  const merged = mergeProxyConfig(layers, problems);
  decodeProxyConfig(merged, problems);
  checkServices(merged, problems, []);
  const fields = Object.entries(merged.fields).filter(([name]) => merged.origins.get(name) !== "default");
  return {
    fields: Object.fromEntries(fields),
    problems: problems.map(({ source, path, message }) => ({
      path: [source === annotationName ? `metadata.annotations.${source}` : source, path]
        .filter((part) => part !== "")
        .join(": "),
      message,
    })),
  };
}
