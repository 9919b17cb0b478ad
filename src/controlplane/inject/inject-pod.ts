/**
 * A pod as it is with its sidecar. Pure: the same pod, place and settings give the same pod, and what is injected already stays as it
 * is unless something has changed.
 */
import { annotationProblems } from "./annotations.ts";
import { injectionDecision, type NamespaceMeta } from "./decision.ts";
import { layTemplate } from "./lay-template.ts";
import { merged } from "./merge.ts";
import { ordered } from "./order.ts";
import type { Container, InjectionProblem, Pod } from "./pod.ts";
import { type PodPlace, podSettings } from "./pod-settings.ts";
import { type Original, originalOf, overridesName, statusName } from "./previous.ts";
import { probersVariable, rewriteProbes } from "./probes.ts";
import { mergeMetrics, scrapeVariable } from "./prometheus.ts";
import { ruledProxyConfig } from "./proxy-configs.ts";
import type { InjectionSettings } from "./settings.ts";
import { statusOf } from "./status.ts";
import { chosenTemplates } from "./chosen-templates.ts";
import { type Template, templateOf } from "./template/template.ts";
import { valueOf } from "./template/variables.ts";
import { podWarnings } from "./warnings.ts";

/** What became of a pod. */
export type Injection =
  | { readonly kind: "injected"; readonly pod: Pod; readonly warnings: readonly string[] }
  | { readonly kind: "left"; readonly reason: string; readonly warnings: readonly string[] }
  | { readonly kind: "refused"; readonly problems: readonly InjectionProblem[] };

/** Whose pod it is and where, and what is known of its namespace. */
export interface InjectionPlace extends PodPlace {
  readonly namespaceLabels?: NamespaceMeta["labels"];
}

/** Never throws. */
export function injectPod(given: Pod, place: InjectionPlace, settings: InjectionSettings): Injection {
  const { values, mesh } = settings;
  const { namespaceLabels } = place;
  const namespace = { name: place.namespace, ...(namespaceLabels && { labels: namespaceLabels }) };
  const { leftBecause, warnings } = injectionDecision(given, namespace, values);
  if (leftBecause !== undefined) return { kind: "left", reason: leftBecause, warnings };
  const original = originalOf(given, settings.containerNames);
  const { labels = {}, annotations = {} } = original.pod.metadata;
  const problems: InjectionProblem[] = [...annotationProblems(annotations)];
  const ruled = ruledProxyConfig(mesh.defaultConfig, mesh.proxyConfigs ?? [], {
    namespace: place.namespace,
    rootNamespace: values.istioNamespace,
    labels,
  });
  const config = settings.readProxyConfig(ruled, annotations["proxy.istio.io/config"] ?? "");
  problems.push(...config.problems);
  const chosen = chosenTemplates(annotations, settings);
  if (chosen.kind === "refused") problems.push(chosen.problem);
  if (problems.length > 0 || chosen.kind === "refused") return { kind: "refused", problems };

  const found = podSettings(
    {
      kind: chosen.base,
      place,
      labels,
      annotations,
      containers: original.pod.spec.containers,
      override: overrideOf(original, "istio-proxy"),
      proxyConfig: config.fields,
    },
    settings,
  );
  let template = templateOf(found);
  for (const overlay of chosen.overlays) template = overlaid(template, overlay);

  const metrics = mergeMetrics(annotations, found.statusPort, mesh.enablePrometheusMerge ?? true);
  const isRewritten =
    (annotations["sidecar.istio.io/rewriteAppHTTPProbers"] ?? String(values.rewritesProbes)) === "true";
  const probes =
    isRewritten && found.statusPort !== 0 && found.kind === "sidecar"
      ? rewriteProbes(original.pod, {
          statusPort: found.statusPort,
          proxy: "istio-proxy",
          isNative: found.isNative,
        })
      : { pod: original.pod, probers: {}, warnings: [] };
  const laid = layTemplate(probes.pod, template, {
    original,
    variables: [
      ...(Object.keys(probes.probers).length === 0
        ? []
        : [valueOf(probersVariable, JSON.stringify(probes.probers))]),
      ...(metrics.variable === undefined ? [] : [valueOf(scrapeVariable, metrics.variable)]),
    ],
  });
  const all = [...metrics.problems, ...laid.problems];
  if (all.length > 0) return { kind: "refused", problems: all };
  const pod = ordered(laid.pod, found.holdsApplication);
  return {
    kind: "injected",
    pod: {
      ...pod,
      metadata: {
        ...pod.metadata,
        labels: { ...labels, ...template.metadata.labels },
        annotations: {
          ...metrics.annotations,
          ...template.metadata.annotations,
          ...keptOverrides(original),
          [statusName]: statusOf(template, values.revision),
          ...values.injectedAnnotations,
        },
      },
    },
    warnings: [...warnings, ...probes.warnings, ...podWarnings(original.pod)],
  };
}

function overrideOf({ overrides }: Original, name: string): Container | undefined {
  return [...overrides.containers, ...overrides.initContainers].find((each) => each.name === name);
}

/** What the pod itself says of injected containers is kept, for the next time. */
function keptOverrides({ overrides, pod }: Original): Readonly<Record<string, string>> {
  const { containers, initContainers } = overrides;
  if (pod.metadata.annotations?.[overridesName] !== undefined) return {};
  if (containers.length === 0 && initContainers.length === 0) return {};
  const kept = {
    ...(containers.length === 0 ? {} : { containers }),
    ...(initContainers.length === 0 ? {} : { initContainers }),
  };
  return { [overridesName]: JSON.stringify(kept) };
}

/** A native sidecar is among the init containers, wherever an overlay has it. */
function overlaid(template: Template, overlay: Readonly<Record<string, unknown>>): Template {
  const isNative = template.spec.initContainers.some(({ name }) => name === "istio-proxy");
  const { spec } = overlay as { readonly spec?: Partial<Template["spec"]> };
  if (!isNative || spec?.containers === undefined) return merged(template, overlay);
  const proxies = spec.containers.filter(({ name }) => name === "istio-proxy");
  return merged(template, {
    ...overlay,
    spec: {
      ...spec,
      containers: spec.containers.filter(({ name }) => name !== "istio-proxy"),
      initContainers: [...(spec.initContainers ?? []), ...proxies],
    },
  });
}
