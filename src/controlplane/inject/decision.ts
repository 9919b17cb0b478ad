/**
 * Whether a pod gets a sidecar (Istio's "Controlling the injection policy"): its label decides, then its annotation, then the
 * selectors of the settings, then its namespace. Pure.
 */
import { textAt } from "../../lifecycle/json-path.ts";
import { shown } from "../../schema/config-problem.ts";
import type { Pod, Texts } from "./pod.ts";
import type { LabelSelector } from "./selector.ts";
import { matchesSelector } from "./selector.ts";

/** What is known of the pod's namespace. */
export interface NamespaceMeta {
  readonly name: string;
  /** Undefined where whoever asks has chosen by them already, as the API server does. */
  readonly labels?: Texts;
}

/** For whom it decides. */
export interface InjectionPolicy {
  /** Of this control plane; empty for the default one. */
  readonly revision: string;
  readonly neverInject: readonly LabelSelector[];
  readonly alwaysInject: readonly LabelSelector[];
}

/** Why a pod is left as it is; undefined where it gets a sidecar. */
export type Decision = { readonly leftBecause?: string; readonly warnings: readonly string[] };

const name = "sidecar.istio.io/inject";

/** Of Kubernetes itself: nothing there is injected. */
const systemNamespaces: readonly string[] = [
  ...["kube-system", "kube-public", "kube-node-lease", "local-path-storage"],
];

/** By what the pod says of its node (Kubernetes' "Windows containers"). */
function isOfWindows(spec: Pod["spec"]): boolean {
  return [textAt(spec, "os", "name"), textAt(spec, "nodeSelector", "kubernetes.io/os")].includes("windows");
}

/** Never throws. */
export function injectionDecision(
  { metadata: { labels = {}, annotations = {} }, spec }: Pod,
  namespace: NamespaceMeta,
  { revision, neverInject, alwaysInject }: InjectionPolicy,
): Decision {
  const warnings: string[] = [];
  const left = (leftBecause: string): Decision => ({ leftBecause, warnings });
  // What is captured there would be the node's own traffic.
  if (spec["hostNetwork"] === true) return left("it has the network of its node (hostNetwork)");
  if (isOfWindows(spec)) return left("it runs on Windows, and the sidecar is a Linux one");
  if (systemNamespaces.includes(namespace.name))
    return left(`${namespace.name} is a namespace of Kubernetes`);
  const said = labels[name] ?? annotations[name];
  if (said === "true") return { warnings };
  if (said === "false") return left(`${name} is "false"`);
  if (said !== undefined && said !== "")
    warnings.push(`${name} is ${shown(said)} and does not count: write "true" or "false"`);
  if (neverInject.some((selector) => matchesSelector(selector, labels)))
    return left("neverInjectSelector selects it");
  if (alwaysInject.some((selector) => matchesSelector(selector, labels))) return { warnings };
  if (namespace.labels === undefined) return { warnings };
  const own = revision === "" ? "default" : revision;
  const { "istio-injection": switched, "istio.io/rev": wanted = labels["istio.io/rev"] } = namespace.labels;
  if (switched === "disabled") return left(`its namespace ${namespace.name} has istio-injection: disabled`);
  if (switched === undefined && wanted !== undefined && wanted !== own)
    return left(`istio.io/rev is ${shown(wanted)}, and this revision is ${shown(own)}`);
  return { warnings };
}
