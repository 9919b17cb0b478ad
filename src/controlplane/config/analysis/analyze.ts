/**
 * What is valid by itself and has no effect beside the others, or not that which its writer may think: warnings, each
 * with the place of the object and of the one that it is beside. A pure function.
 */
import { atOnce } from "../../../lifecycle/in-turns.ts";
import { byAge, type ConfigObject } from "../objects.ts";
import type { ConfigProblem } from "../problem.ts";
import { convertGatewayApi } from "../gateway-api/convert.ts";
import { noneRefused, type Refused } from "../refused.ts";
import { authorizerWarnings } from "./authorizers.ts";
import { extensionWarnings } from "./extensions.ts";
import { gatewayWarnings, type RouterWorkload } from "./gateways.ts";
import { proxyConfigWarnings } from "./proxy-configs.ts";
import { ruleWarnings } from "./rules.ts";
import { serviceWarnings } from "./services.ts";
import { targetWarnings } from "./targets.ts";
import { telemetryWarnings } from "./telemetries.ts";
import { hostsOf, whyNoService } from "../provider-services.ts";
import { placeOf, warningAt } from "./warning.ts";

/** Namespace whose policies apply to the whole mesh. */
export const rootNamespace = "istio-system";

/**
 * Everything that objects do to each other.
 * @param known hosts of services that are none of the objects
 * @param refused those that are written and cannot be taken
 */
export function analyze(
  all: readonly ConfigObject[],
  known: readonly string[] = [],
  refused: Refused = noneRefused,
): readonly ConfigProblem[] {
  return atOnce(analysis(all, known, refused));
}

/** The same, which stops now and then for others to have their turn. */
export function* analysis(
  all: readonly ConfigObject[],
  known: readonly string[],
  refused: Refused,
): Generator<void, readonly ConfigProblem[]> {
  const objects = all.toSorted(byAge);
  yield;
  const byKind = Map.groupBy(objects, ({ kind }) => kind);
  const ofKind = <Kind extends ConfigObject["kind"]>(kind: Kind): Extract<ConfigObject, { kind: Kind }>[] =>
    (byKind.get(kind) ?? []) as Extract<ConfigObject, { kind: Kind }>[];
  const entries = ofKind("ServiceEntry");
  const problems = [...(yield* serviceWarnings(entries))];
  const others: readonly (() => readonly ConfigProblem[])[] = [
    () =>
      gatewayWarnings(ofKind("Gateway"), ofKind("VirtualService"), ofKind("Secret"), refused, () =>
        workloadsOf(ofKind("WorkloadEntry"), entries),
      ),
    () =>
      ruleWarnings(ofKind("VirtualService"), ofKind("DestinationRule"), [
        ...known,
        ...entries.flatMap(({ spec }) => spec.hosts),
      ]),
    () => convertGatewayApi(objects, refused).problems,
    () =>
      targetWarnings(
        [
          ...ofKind("AuthorizationPolicy"),
          ...ofKind("RequestAuthentication"),
          ...ofKind("Telemetry"),
          ...ofKind("EnvoyFilter"),
          ...ofKind("WasmPlugin"),
          ...ofKind("TrafficExtension"),
        ],
        ofKind("KubernetesGateway"),
      ),
    () =>
      extensionWarnings([...ofKind("WasmPlugin"), ...ofKind("TrafficExtension")], ofKind("Secret"), refused),
    () => peerWarnings(ofKind("PeerAuthentication")),
    () =>
      telemetryWarnings(ofKind("Telemetry"), ofKind("MeshConfig")[0], (name) =>
        whyNoService(name, hostsOf(entries)),
      ),
    () =>
      forAllTwice(
        ofKind("Telemetry").filter(
          ({ spec }) =>
            isEmpty(spec.selector?.matchLabels) &&
            spec.targetRef === undefined &&
            (spec.targetRefs ?? []).length === 0,
        ),
        "spec.selector",
        "IST0160",
      ),
    () => proxyConfigWarnings(ofKind("ProxyConfig")),
    () => authorizerWarnings(ofKind("AuthorizationPolicy"), ofKind("MeshConfig")[0]?.spec ?? {}),
    () =>
      forAllTwice(
        ofKind("Sidecar").filter(({ spec }) => isEmpty(spec.workloadSelector?.labels)),
        "spec.workloadSelector",
        "IST0111",
      ),
  ];
  for (const warnings of others) {
    for (const problem of warnings()) problems.push(problem);
    yield;
  }
  return problems;
}

/** Those that may be routers: what is in services and what stands for itself. */
function workloadsOf(
  workloads: readonly Extract<ConfigObject, { kind: "WorkloadEntry" }>[],
  entries: readonly Extract<ConfigObject, { kind: "ServiceEntry" }>[],
): readonly RouterWorkload[] {
  return [
    ...workloads.map(({ namespace, spec }) => ({ namespace, labels: spec.labels ?? {} })),
    ...entries.flatMap(({ namespace, spec }) =>
      (spec.endpoints ?? []).map(({ labels = {} }) => ({ namespace, labels })),
    ),
  ];
}

type PeerAuthentication = Extract<ConfigObject, { kind: "PeerAuthentication" }>;

function peerWarnings(policies: readonly PeerAuthentication[]): readonly ConfigProblem[] {
  const forAll = policies.filter(({ spec }) => isEmpty(spec.selector?.matchLabels));
  const ofRoot = policies.filter((policy) => policy.namespace === rootNamespace && !forAll.includes(policy));
  return [
    ...forAllTwice(forAll, "spec.selector"),
    ...ofRoot.map((policy) =>
      warningAt(
        policy,
        "spec.selector",
        `has no effect in ${rootNamespace}: put the policy into the namespace of the workloads`,
      ),
    ),
  ];
}

/** A namespace has one object that is for all of its workloads. */
function forAllTwice(
  objects: readonly ConfigObject[],
  path: string,
  code?: string,
): readonly ConfigProblem[] {
  const first = new Map<string, ConfigObject>();
  return objects.flatMap((object) => {
    const older = first.get(object.namespace);
    if (older === undefined) first.set(object.namespace, object);
    if (older === undefined) return [];
    const message = `${placeOf(older)} is for all workloads of ${object.namespace} already, which is older: this one has no effect`;
    return [warningAt(object, path, message, code)];
  });
}

function isEmpty(labels: Readonly<Record<string, string>> | undefined): boolean {
  return Object.keys(labels ?? {}).length === 0;
}
