/**
 * A pod that was injected before, taken apart: what was there without injection, and what injection and others have added since. So
 * that to inject again gives the same, or what changed settings make of it.
 */
import { configurationLimits } from "../../document/limits.ts";
import { jsonValue } from "../../document/json.ts";
import { isMapping } from "../../document/mapping.ts";
import { type Container, type Named, type Pod, readPod } from "./pod.ts";
import { probersVariable, restoreProbes } from "./probes.ts";
import { restoreMetrics, scrapeVariable } from "./prometheus.ts";

/** Annotation that says what was injected. */
export const statusName = "sidecar.istio.io/status";

/** Annotation that keeps what the pod itself said of injected containers. */
export const overridesName = "proxy.istio.io/overrides";

/** A pod without what was injected into it. */
export interface Original {
  readonly pod: Pod;
  readonly wasInjected: boolean;
  /** Containers that injection made, as they are now. */
  readonly previous: readonly Container[];
  /** Volumes that injection made, as they are now. */
  readonly previousVolumes: readonly Named[];
  /** Containers of which the pod itself says something, by their names: what is laid over those that are injected. */
  readonly overrides: Overrides;
}

/** By the lists in which they stand. */
export interface Overrides {
  readonly containers: readonly Container[];
  readonly initContainers: readonly Container[];
}

/** What injection makes without overlays. */
export const injectedNames: readonly string[] = ["istio-proxy", "istio-init", "istio-validation"];

/**
 * Never throws: annotations that cannot be read are told by whoever checks them, and count for nothing here.
 *
 * @param ours names of containers that injection makes: anybody may write a status, and nobody's application is taken for injected
 */
export function originalOf(given: Pod, ours: readonly string[]): Original {
  const { annotations = {} } = given.metadata;
  const status = jsonValue(annotations[statusName] ?? "", configurationLimits);
  const kept = readOverrides(annotations[overridesName] ?? "");
  const wasInjected = isMapping(status);
  const named = (field: string): readonly string[] => (wasInjected ? textsOf(status[field]) : []);
  const made = (field: string): readonly string[] => named(field).filter((name) => ours.includes(name));
  const [containers, madeBeside] = parted(given.spec.containers, made("containers"));
  const [initContainers, madeInit] = parted(given.spec.initContainers ?? [], made("initContainers"));
  const previous = [...madeBeside, ...madeInit];
  const own = { containers: ownOf(containers), initContainers: ownOf(initContainers) };
  const overrides = kept ?? own;
  const variable = (name: string): string | undefined => {
    const found = previous.flatMap(({ env = [] }) => env).find((each) => each.name === name)?.["value"];
    return typeof found === "string" ? found : undefined;
  };
  const pod: Pod = {
    ...given,
    metadata: wasInjected
      ? {
          ...given.metadata,
          annotations: restoreMetrics(withoutStatus(annotations), variable(scrapeVariable)),
        }
      : given.metadata,
    spec: {
      ...given.spec,
      containers: containers.filter(({ name }) => !injectedNames.includes(name)),
      ...(given.spec.initContainers && {
        initContainers: initContainers.filter(({ name }) => !injectedNames.includes(name)),
      }),
    },
  };
  const volumes = named("volumes");
  return {
    pod: restoreProbes(pod, variable(probersVariable) ?? ""),
    wasInjected,
    previous,
    previousVolumes: (given.spec.volumes ?? []).filter(({ name }) => volumes.includes(name)),
    overrides,
  };
}

function withoutStatus(annotations: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(annotations).filter(([name]) => name !== statusName));
}

function ownOf(containers: readonly Container[]): readonly Container[] {
  return containers.filter(({ name }) => injectedNames.includes(name));
}

function parted(
  containers: readonly Container[],
  names: readonly string[],
): readonly [others: readonly Container[], named: readonly Container[]] {
  return [
    containers.filter(({ name }) => !names.includes(name)),
    containers.filter(({ name }) => names.includes(name)),
  ];
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? (value as readonly unknown[]).filter((each) => typeof each === "string") : [];
}

/** Of the annotation that keeps them; undefined for what is none. */
export function readOverrides(text: string): Overrides | undefined {
  const value = jsonValue(text, configurationLimits);
  if (!isMapping(value)) return undefined;
  const { containers = [], initContainers = [] } = value;
  const pod = readPod({ spec: { containers, initContainers } });
  return "spec" in pod
    ? { containers: pod.spec.containers, initContainers: pod.spec.initContainers ?? [] }
    : undefined;
}
