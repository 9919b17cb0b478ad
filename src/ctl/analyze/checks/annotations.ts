/** Istio's annotations: where they count, and what they may say (Istio's reference, "Resource Annotations"). */
import { warningAt } from "../../../controlplane/config/analysis/warning.ts";
import { annotationForms } from "../../../controlplane/inject/annotations.ts";
import type { ConfigProblem } from "../../../controlplane/config/problem.ts";
import { type KubernetesObject, podTemplateOf } from "../kubernetes-objects.ts";
import type { AnalyzedMesh } from "./mesh.ts";

interface Annotation {
  /** Kinds that it counts for; undefined for all. */
  readonly kinds: readonly string[] | undefined;
  readonly stage: "alpha" | "beta" | "deprecated";
  /** What takes its place. */
  readonly instead?: string;
  readonly expected?: string;
  readonly test?: (value: string) => boolean;
}

const pod: Annotation = { kinds: ["Pod"], stage: "alpha" };
const podSwitch: Annotation = {
  ...pod,
  ...{ expected: "true or false", test: (value) => ["true", "false"].includes(value) },
};

const known: Readonly<Record<string, Annotation>> = {
  ...Object.fromEntries(Object.entries(annotationForms).map(([name, form]) => [name, { ...pod, ...form }])),
  "sidecar.istio.io/inject": { ...podSwitch, stage: "deprecated", instead: "the label of the same name" },
  "sidecar.istio.io/controlPlaneAuthPolicy": { ...pod, stage: "deprecated" },
  "sidecar.istio.io/discoveryAddress": { ...pod, stage: "deprecated", instead: "proxy.istio.io/config" },
  "sidecar.istio.io/enableCoreDump": podSwitch,
  ...Object.fromEntries(
    [
      ...["proxyImage", "proxyImageType", "status"],
      ...[
        "statsInclusionPrefixes",
        "statsInclusionSuffixes",
        "statsInclusionRegexps",
        "statsHistogramBuckets",
      ],
      ...["statsCompression", "extraStatTags", "bootstrapOverride"],
      ...["logLevel", "componentLogLevel", "agentLogLevel"],
    ].map((name) => [`sidecar.istio.io/${name}`, pod]),
  ),
  "traffic.sidecar.istio.io/kubevirtInterfaces": {
    ...annotationForms["traffic.sidecar.istio.io/kubevirtInterfaces"],
    ...{ kinds: ["Pod"], stage: "deprecated", instead: "istio.io/reroute-virtual-interfaces" },
  },
  "readiness.status.sidecar.istio.io/applicationPorts": {
    ...pod,
    ...annotationForms["traffic.sidecar.istio.io/includeInboundPorts"],
  },
  "proxy.istio.io/config": { ...pod, stage: "beta" },
  "inject.istio.io/templates": pod,
  "networking.istio.io/exportTo": { kinds: ["Service"], stage: "alpha" },
  "networking.istio.io/traffic-distribution": {
    kinds: ["Service", "Namespace", "ServiceEntry"],
    stage: "alpha",
  },
  "networking.istio.io/service-type": { kinds: ["Gateway"], stage: "alpha" },
  "networking.istio.io/address-type": { kinds: ["Gateway"], stage: "alpha" },
  "topology.istio.io/controlPlaneClusters": { kinds: ["Namespace"], stage: "alpha" },
  "istio.io/dry-run": { kinds: ["AuthorizationPolicy"], stage: "alpha" },
  "galley.istio.io/analyze-suppress": { kinds: undefined, stage: "alpha" },
};

/** What Istio's own parts write for each other. */
const isInternal = (name: string): boolean =>
  /^(?:(?:install\.)?operator|internal|gateway|ambient|networking\.internal|meshconfig)\.istio\.io\//.test(
    name,
  );

/** IST0107, IST0108, IST0125, IST0135, IST0136. */
export function annotationFindings(mesh: AnalyzedMesh): readonly ConfigProblem[] {
  return mesh.kubernetes.flatMap((object) => {
    const template = podTemplateOf(object);
    return [
      ...ofMapping(object, object.annotations, object.kind, "metadata.annotations"),
      ...(template === undefined || template.path === ""
        ? []
        : ofMapping(object, template.annotations, "Pod", `${template.path}.metadata.annotations`)),
    ];
  });
}

function ofMapping(
  object: KubernetesObject,
  annotations: Readonly<Record<string, string>>,
  kind: string,
  path: string,
): readonly ConfigProblem[] {
  return Object.entries(annotations).flatMap(([name, value]): readonly ConfigProblem[] => {
    if (!/(?:^|\.)istio\.io\//.test(name) || isInternal(name)) return [];
    const tell = (code: string, message: string): ConfigProblem =>
      warningAt(object, `${path}.${name}`, message, code);
    const annotation = Object.hasOwn(known, name) ? known[name] : undefined;
    if (annotation === undefined)
      return [tell("IST0108", "is none of Istio's annotations: look at its spelling")];
    const { kinds, stage, instead, expected = "", test } = annotation;
    if (kinds !== undefined && !kinds.includes(kind))
      return [tell("IST0107", `counts for ${kinds.join(" or ")} alone, not for a ${kind}: move it there`)];
    const isWrong = test?.(value) === false;
    return [
      ...(isWrong ? [tell("IST0125", `is ${JSON.stringify(value)}: write ${expected}`)] : []),
      ...(stage === "deprecated"
        ? [tell("IST0135", `is deprecated: ${instead === undefined ? "leave it out" : `use ${instead}`}`)]
        : []),
      ...(stage === "alpha" ? [tell("IST0136", "is alpha: a later release may read it differently")] : []),
    ];
  });
}
