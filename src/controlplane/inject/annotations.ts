/**
 * Annotations of pods that injection acts on, and what each may say (Istio's reference, "Resource Annotations").
 */
import { isMapping } from "../../document/mapping.ts";
import { jsonValue } from "../../document/json.ts";
import { configurationLimits } from "../../document/limits.ts";
import { shown } from "../../schema/config-problem.ts";
import { isAddressOrRange } from "../config/forms.ts";
import type { InjectionProblem, Texts } from "./pod.ts";
import { readOverrides } from "./previous.ts";

/** What a value is, in words that stand after "write", and whether it is. */
export interface AnnotationForm {
  readonly expected: string;
  readonly test: (value: string) => boolean;
}

const isListOf =
  (test: (item: string) => boolean) =>
  (value: string): boolean =>
    value.trim() === "" || value.split(",").every((item) => test(item.trim()));
const isPort = (text: string): boolean => /^\d{1,5}$/.test(text) && Number(text) <= 65_535;
const isEach = (value: string): boolean => value === "*";

const count: AnnotationForm = { expected: "a whole number", test: (value) => /^\d{1,9}$/.test(value) };
const flag: AnnotationForm = {
  expected: "true or false",
  test: (value) => ["true", "false"].includes(value),
};
const ports: AnnotationForm = { expected: "ports divided by commas", test: isListOf(isPort) };
const portsOrEach: AnnotationForm = {
  expected: "ports divided by commas, or *",
  test: (value) => isEach(value) || ports.test(value),
};
const ranges: AnnotationForm = {
  expected: "ranges such as 10.0.0.0/8 divided by commas",
  test: isListOf(isAddressOrRange),
};
const rangesOrEach: AnnotationForm = {
  expected: "ranges such as 10.0.0.0/8 divided by commas, or *",
  test: (value) => isEach(value) || ranges.test(value),
};
const interfaces: AnnotationForm = {
  expected: "names of network interfaces divided by commas",
  // Linux' own bound (IFNAMSIZ).
  test: isListOf((item) => /^[^\s/:]{1,15}$/.test(item)),
};
const quantity: AnnotationForm = {
  expected: "a quantity such as 100m or 128Mi",
  test: (value) => /^\+?(?:\d+(?:\.\d*)?|\.\d+)(?:[KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?$/.test(value),
};
const named: AnnotationForm = {
  expected: 'JSON such as {"name": {…}}',
  test: (value) => namedIn(value) !== undefined,
};
const overrides: AnnotationForm = {
  expected: 'JSON such as {"containers": [{"name": "istio-proxy"}]}, as injection writes it',
  test: (value) => readOverrides(value) !== undefined,
};

/** By their names. */
export const annotationForms: Readonly<Record<string, AnnotationForm>> = {
  "sidecar.istio.io/interceptionMode": {
    expected: "REDIRECT, TPROXY or NONE",
    test: (value) => ["REDIRECT", "TPROXY", "NONE"].includes(value),
  },
  "sidecar.istio.io/nativeSidecar": flag,
  "sidecar.istio.io/rewriteAppHTTPProbers": flag,
  "sidecar.istio.io/capNetBindService": flag,
  "prometheus.istio.io/merge-metrics": flag,
  "sidecar.istio.io/proxyCPU": quantity,
  "sidecar.istio.io/proxyMemory": quantity,
  "sidecar.istio.io/proxyCPULimit": quantity,
  "sidecar.istio.io/proxyMemoryLimit": quantity,
  "sidecar.istio.io/userVolume": named,
  "sidecar.istio.io/userVolumeMount": named,
  "proxy.istio.io/overrides": overrides,
  "status.sidecar.istio.io/port": { expected: "a port", test: isPort },
  "readiness.status.sidecar.istio.io/initialDelaySeconds": count,
  "readiness.status.sidecar.istio.io/periodSeconds": count,
  "readiness.status.sidecar.istio.io/failureThreshold": count,
  "traffic.sidecar.istio.io/includeInboundPorts": portsOrEach,
  "traffic.sidecar.istio.io/excludeInboundPorts": ports,
  "traffic.sidecar.istio.io/includeOutboundPorts": portsOrEach,
  "traffic.sidecar.istio.io/excludeOutboundPorts": ports,
  "traffic.sidecar.istio.io/includeOutboundIPRanges": rangesOrEach,
  "traffic.sidecar.istio.io/excludeOutboundIPRanges": ranges,
  "traffic.sidecar.istio.io/kubevirtInterfaces": interfaces,
  "traffic.sidecar.istio.io/excludeInterfaces": interfaces,
  "istio.io/reroute-virtual-interfaces": interfaces,
};

/** Everything that is wrong with them. */
export function annotationProblems(annotations: Texts): readonly InjectionProblem[] {
  return Object.entries(annotationForms).flatMap(([name, { expected, test }]) => {
    const value = annotations[name];
    if (value === undefined || test(value)) return [];
    return [{ path: `metadata.annotations.${name}`, message: `is ${shown(value)}: write ${expected}` }];
  });
}

/**
 * Volumes or mounts of a user's, which are written as a mapping by name, or as a list whose elements have one; undefined for what is
 * neither.
 */
export function namedIn(text: string): readonly { readonly name: string }[] | undefined {
  const value = jsonValue(text, configurationLimits);
  if (Array.isArray(value)) {
    const list = value as readonly unknown[];
    return list.every((each) => isMapping(each) && typeof each["name"] === "string")
      ? (list as readonly { readonly name: string }[])
      : undefined;
  }
  if (!isMapping(value) || !Object.values(value).every(isMapping)) return undefined;
  return Object.entries(value).map(([name, fields]) => ({ name, ...(fields as object) }));
}
