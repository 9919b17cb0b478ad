/** DestinationRules: TLS that proves nobody, mutual TLS that the server does not want, fields that go away. */
import { rootNamespace } from "../../../controlplane/config/analysis/analyze.ts";
import { placeOf, warningAt } from "../../../controlplane/config/analysis/warning.ts";
import { fullName } from "../../../controlplane/config/host-names.ts";
import type { TrafficPolicySpec } from "../../../controlplane/config/objects.ts";
import type { ConfigProblem } from "../../../controlplane/config/problem.ts";
import type { AnalyzedMesh, OfKind } from "./mesh.ts";

type DestinationRule = OfKind<"DestinationRule">;
type PeerAuthentication = OfKind<"PeerAuthentication">;
type Tls = TrafficPolicySpec["tls"];

/** IST0002, IST0113, IST0128, IST0129. */
export function destinationRuleFindings(mesh: AnalyzedMesh): readonly ConfigProblem[] {
  const inMesh = namespacesOfServices(mesh);
  const policies = new Map(
    mesh
      .ofKind("PeerAuthentication")
      .filter(({ spec }) => Object.keys(spec.selector?.matchLabels ?? {}).length === 0)
      .toReversed()
      .map((policy) => [policy.namespace, policy]),
  );
  return mesh.ofKind("DestinationRule").flatMap((rule) =>
    policiesOf(rule).flatMap(([path, policy]) => [
      ...unproven(rule, `${path}.tls`, policy.tls, "IST0128"),
      ...(policy.portLevelSettings ?? []).flatMap(({ tls }, index) =>
        unproven(rule, `${path}.portLevelSettings[${index}].tls`, tls, "IST0129"),
      ),
      ...deprecated(rule, path, policy),
      ...contradiction(rule, `${path}.tls.mode`, policy.tls, (host) => {
        const namespace = inMesh.get(host);
        return namespace === undefined ? undefined : (policies.get(namespace) ?? policies.get(rootNamespace));
      }),
    ]),
  );
}

/** Of services of the mesh, by host. */
function namespacesOfServices(mesh: AnalyzedMesh): ReadonlyMap<string, string> {
  return new Map(
    mesh
      .ofKind("ServiceEntry")
      .filter(({ spec }) => spec.location === "MESH_INTERNAL")
      .flatMap(({ namespace, spec }) => spec.hosts.map((host) => [host.toLowerCase(), namespace] as const)),
  );
}

function policiesOf({ spec }: DestinationRule): readonly (readonly [path: string, TrafficPolicySpec])[] {
  const { trafficPolicy, subsets = [] } = spec;
  return [
    ...(trafficPolicy === undefined ? [] : [["spec.trafficPolicy", trafficPolicy] as const]),
    ...subsets.flatMap(({ trafficPolicy: own }, index) =>
      own === undefined ? [] : [[`spec.subsets[${index}].trafficPolicy`, own] as const],
    ),
  ];
}

function unproven(rule: DestinationRule, path: string, tls: Tls, code: string): readonly ConfigProblem[] {
  const { mode, caCertificates, insecureSkipVerify } = tls ?? {};
  if ((mode !== "SIMPLE" && mode !== "MUTUAL") || caCertificates !== undefined || insecureSkipVerify === true)
    return [];
  const message = `is ${mode} without caCertificates: whose certificate ${rule.spec.host} shows is not asked. Name the file of its roots, or system`;
  return [warningAt(rule, path, message, code)];
}

/** What a client does against what the server of it accepts. */
function contradiction(
  rule: DestinationRule,
  path: string,
  tls: Tls,
  policyOf: (host: string) => PeerAuthentication | undefined,
): readonly ConfigProblem[] {
  const mode = tls?.mode;
  const host = fullName(rule.spec.host, rule.namespace).toLowerCase();
  const policy = mode === undefined ? undefined : policyOf(host);
  const accepted = policy?.spec.mtls?.mode;
  const isRefused =
    accepted === "STRICT" ? mode !== "ISTIO_MUTUAL" : accepted === "DISABLE" && mode !== "DISABLE";
  if (policy === undefined || !isRefused) return [];
  const remedy = accepted === "STRICT" ? "ISTIO_MUTUAL, or leave it out" : "DISABLE";
  const message = `is ${mode}, and ${placeOf(policy)} makes ${host} ${accepted}: connections fail. Say ${remedy}`;
  return [warningAt(rule, path, message, "IST0113")];
}

function deprecated(
  rule: DestinationRule,
  path: string,
  policy: TrafficPolicySpec,
): readonly ConfigProblem[] {
  const { outlierDetection, loadBalancer } = policy;
  const rows: readonly (readonly [field: string, isUsed: boolean, remedy: string])[] = [
    [
      "outlierDetection.consecutiveErrors",
      outlierDetection?.consecutiveErrors !== undefined,
      "consecutive5xxErrors or consecutiveGatewayErrors",
    ],
    ["loadBalancer.simple", loadBalancer?.simple === "LEAST_CONN", "LEAST_REQUEST"],
    ["loadBalancer.warmupDurationSecs", loadBalancer?.warmupDurationSecs !== undefined, "warmup.duration"],
    [
      "loadBalancer.consistentHash.minimumRingSize",
      loadBalancer?.consistentHash?.minimumRingSize !== undefined,
      "ringHash.minimumRingSize",
    ],
  ];
  return rows
    .filter(([, isUsed]) => isUsed)
    .map(([field, , remedy]) =>
      warningAt(
        rule,
        `${path}.${field}`,
        `is deprecated: write ${remedy}`,
        // Istio's schema itself warns of this one.
        field === "outlierDetection.consecutiveErrors" ? "IST0133" : "IST0002",
      ),
    );
}
