/** Namespaces and pods: who gets a sidecar, and who does not although it seems so. */
import { warningAt } from "../../../controlplane/config/analysis/warning.ts";
import type { ConfigProblem } from "../../../controlplane/config/problem.ts";
import { at, textAt } from "../../../lifecycle/json-path.ts";
import { containersOf, type KubernetesObject, type PodTemplate } from "../kubernetes-objects.ts";
import type { AnalyzedMesh } from "./mesh.ts";

const injectLabel = "sidecar.istio.io/inject";
const systemNamespaces: readonly string[] = [
  ...["kube-system", "kube-public", "kube-node-lease", "istio-system", "local-path-storage"],
];

/** IST0102, IST0103, IST0123, IST0144, IST0146, IST0147, IST0148, IST0158. */
export function injectionFindings(mesh: AnalyzedMesh): readonly ConfigProblem[] {
  const namespaces = mesh.kubernetes.filter(({ kind }) => kind === "Namespace");
  const values = injectionValues(mesh.kubernetes);
  const byDefault = at(values, "sidecarInjectorWebhook", "enableNamespacesByDefault") === true;
  const isInjected = new Map(
    namespaces.map(({ name, labels }) => [name, isEnabled(labels, byDefault && !isLeftAlone(name, labels))]),
  );
  const image = proxyImage(values);
  return [
    ...namespaces.flatMap((namespace) => labelFindings(namespace, byDefault)),
    ...mesh.pods.flatMap((pod) => [
      ...proxyFindings(pod, isInjected.get(pod.owner.namespace), image),
      ...(hasProxy(pod, isInjected.get(pod.owner.namespace)) ? userFindings(pod) : []),
    ]),
  ];
}

type Labels = Readonly<Record<string, string>>;

function isEnabled(labels: Labels, otherwise: boolean): boolean {
  const injection = labels["istio-injection"];
  return injection === undefined
    ? labels["istio.io/rev"] !== undefined || otherwise
    : injection === "enabled";
}

/** Those of the system, and those whose traffic no sidecar takes. */
function isLeftAlone(namespace: string, labels: Labels): boolean {
  return labels["istio.io/dataplane-mode"] !== undefined || systemNamespaces.includes(namespace);
}

function labelFindings(namespace: KubernetesObject, byDefault: boolean): readonly ConfigProblem[] {
  const { name, labels } = namespace;
  const given = ["istio-injection", "istio.io/rev"].filter((label) => labels[label] !== undefined);
  if (given.length > 1) {
    const message = `has ${given.join(" and ")}, of which the first decides: take one of them away`;
    return [warningAt(namespace, "metadata.labels", message, "IST0123")];
  }
  if (given.length > 0 || isLeftAlone(name, labels)) return [];
  if (byDefault) {
    const message = `does not say whether pods of ${name} get a sidecar: they do, as enableNamespacesByDefault is set. Label it istio-injection=disabled where they shall not`;
    return [warningAt(namespace, "metadata.labels", message, "IST0148")];
  }
  const message = `does not say whether pods of ${name} get a sidecar: label it istio-injection=enabled, or disabled`;
  return [warningAt(namespace, "metadata.labels", message, "IST0102")];
}

/** Undefined where neither the pod nor a Namespace among the files says it. */
function isPodInjected(
  { labels, annotations }: PodTemplate,
  isNamespaceInjected: boolean | undefined,
): boolean | undefined {
  const said = labels[injectLabel] ?? annotations[injectLabel];
  if (said !== undefined) return said === "true";
  return labels["istio.io/rev"] === undefined ? isNamespaceInjected : true;
}

function hasProxy(pod: PodTemplate, isNamespaceInjected: boolean | undefined): boolean {
  return (
    isPodInjected(pod, isNamespaceInjected) === true ||
    containersOf(pod).some(([, container]) => textAt(container, "name") === "istio-proxy")
  );
}

function proxyFindings(
  pod: PodTemplate,
  isNamespaceInjected: boolean | undefined,
  wanted: string | undefined,
): readonly ConfigProblem[] {
  const { owner, labels, annotations, spec } = pod;
  const said = labels[injectLabel] ?? annotations[injectLabel];
  const isInjected =
    said === undefined
      ? labels["istio.io/rev"] === undefined
        ? isNamespaceInjected
        : true
      : said === "true";
  const containers = containersOf(pod);
  const proxy = containers.find(([, container]) => textAt(container, "name") === "istio-proxy");
  const auto = containers.find(([, container]) => textAt(container, "image") === "auto");
  const findings: ConfigProblem[] = [];
  if (auto !== undefined && isInjected === false) {
    const message = `is auto, which only injection makes an image of, and this is not injected: label it ${injectLabel}=true`;
    findings.push(
      warningAt(owner, `${auto[0]}.image`, message, owner.kind === "Pod" ? "IST0147" : "IST0146"),
    );
  }
  if (owner.kind !== "Pod") return findings;
  if (proxy === undefined && isInjected === true && at(spec, "hostNetwork") !== true)
    findings.push(
      warningAt(
        owner,
        "spec.containers",
        "have no istio-proxy, although the pod should get one: make it anew",
        "IST0103",
      ),
    );
  const image = proxy === undefined ? undefined : textAt(proxy[1], "image");
  if (proxy !== undefined && image !== undefined && image !== "auto" && image !== (wanted ?? image)) {
    const message = `is ${image}, and injection gives ${String(wanted)}: make the pod anew`;
    findings.push(warningAt(owner, `${proxy[0]}.image`, message, "IST0158"));
  }
  return findings;
}

/** What injection is told, by Istio's ConfigMap. */
function injectionValues(objects: readonly KubernetesObject[]): unknown {
  const values = objects
    .filter(({ kind, name }) => kind === "ConfigMap" && name.startsWith("istio-sidecar-injector"))
    .map(({ value }) => textAt(value, "data", "values"))
    .find((text) => text !== undefined);
  if (values === undefined) return undefined;
  try {
    return JSON.parse(values) as unknown;
  } catch {
    // Whoever injects tells that it is no JSON.
    return undefined;
  }
}

/** What injection is told to give. */
function proxyImage(values: unknown): string | undefined {
  const image = textAt(values, "global", "proxy", "image");
  const [hub, tag] = [textAt(values, "global", "hub"), textAt(values, "global", "tag")];
  if (image === undefined || image.includes("/")) return image;
  return hub === undefined || tag === undefined ? undefined : `${hub}/${image}:${tag}`;
}

/** The user whose traffic is not captured, as it is the proxy's. */
const proxyUser = 1337;

function userFindings(pod: PodTemplate): readonly ConfigProblem[] {
  const start = pod.path === "" ? "spec" : `${pod.path}.spec`;
  const userOf = (value: unknown): unknown => at(value, "securityContext", "runAsUser");
  const applications = containersOf(pod).filter(
    ([, container]) => !["istio-proxy", "istio-init"].includes(textAt(container, "name") ?? ""),
  );
  const isOfPod =
    userOf(pod.spec) === proxyUser && applications.some(([, container]) => userOf(container) === undefined);
  const places = [
    ...(isOfPod ? [start] : []),
    ...applications.filter(([, container]) => userOf(container) === proxyUser).map(([path]) => path),
  ];
  const message = `is ${proxyUser}, the sidecar's own user, whose traffic is not captured: choose another`;
  return places.map((path) => warningAt(pod.owner, `${path}.securityContext.runAsUser`, message, "IST0144"));
}
