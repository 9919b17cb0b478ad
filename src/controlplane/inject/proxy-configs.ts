/**
 * ProxyConfig objects, which lie between the mesh's defaults and the pod's annotation: that of the root namespace, that of the pod's
 * namespace, and the one that selects the pod there (Istio's "ProxyConfig"). Pure.
 */
import { isMapping } from "../../document/mapping.ts";
import type { Fields, Texts } from "./pod.ts";

/** One object, its fields as those of the mesh's `defaultConfig`. */
export interface ProxyConfigRule {
  readonly namespace: string;
  /** Undefined for every pod of the namespace. */
  readonly matchLabels: Texts | undefined;
  readonly fields: Fields;
}

/** @param rules in the order in which they decide: the first of several that are for the same counts */
export function ruledProxyConfig(
  mesh: Fields,
  rules: readonly ProxyConfigRule[],
  pod: { readonly namespace: string; readonly rootNamespace: string; readonly labels: Texts },
): Fields {
  const of = (namespace: string, isFor: (labels: Texts | undefined) => boolean): readonly ProxyConfigRule[] =>
    rules.filter((rule) => rule.namespace === namespace && isFor(rule.matchLabels)).slice(0, 1);
  const selects = (labels: Texts | undefined): boolean =>
    labels !== undefined &&
    Object.keys(labels).length > 0 &&
    Object.entries(labels).every(([name, value]) => pod.labels[name] === value);
  const layers = [
    ...of(pod.rootNamespace, (labels) => labels === undefined),
    ...(pod.namespace === pod.rootNamespace ? [] : of(pod.namespace, (labels) => labels === undefined)),
    ...of(pod.namespace, selects),
  ];
  return layers.reduce((lower, { fields }) => laid(lower, fields), mesh);
}

/** A field is replaced as a whole, but for `proxyMetadata`. */
function laid(lower: Fields, upper: Fields): Fields {
  const metadata = [lower["proxyMetadata"], upper["proxyMetadata"]].filter(isMapping);
  return {
    ...lower,
    ...upper,
    ...(metadata.length === 0 ? {} : { proxyMetadata: Object.assign({}, ...metadata) as Fields }),
  };
}
