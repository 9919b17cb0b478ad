/**
 * A workload, by what its Envoy has and what the mesh's objects say. Pure.
 */
import { rootNamespace } from "../../controlplane/config/analysis/analyze.ts";
import { type ConfigObject, objectId } from "../../controlplane/config/objects.ts";
import { at, textAt } from "../../lifecycle/json-path.ts";
import { identityOf } from "../explain/identity.ts";
import type { ConfigDump } from "../proxy/config-dump.ts";
import { peerDecision, portsOf, type TlsMode } from "./mutual-tls.ts";
import { enforcedPolicies, type EnforcedPolicy } from "./policies.ts";

/** An object and where it is. */
export interface Place {
  readonly object: string;
  /** `mesh/api.yaml:12`. */
  readonly place: string;
}

/** What is shown. */
export interface DescribedPod {
  readonly name: string;
  readonly identity: string | undefined;
  readonly labels: Readonly<Record<string, unknown>>;
  readonly ports: readonly {
    readonly port: number;
    readonly mode: TlsMode;
    /** Undefined where no policy says anything. */
    readonly by?: Place;
    readonly overrides: readonly Place[];
  }[];
  readonly policies: readonly EnforcedPolicy[];
}

/** @param objects those of the mesh, as far as they are known */
export function describePod(name: string, dump: ConfigDump, objects: readonly ConfigObject[]): DescribedPod {
  const metadata = at(dump.bootstrap, "node", "metadata");
  const labels = (at(metadata, "LABELS") ?? {}) as Readonly<Record<string, unknown>>;
  const namespace = textAt(metadata, "NAMESPACE") ?? /\.([^.]+)$/.exec(name)?.[1] ?? "default";
  return {
    name,
    identity: identityOf(dump),
    labels,
    ports: portsOf(dump).map(({ port, mode }) => {
      const { by, overrides } = peerDecision(objects, { namespace, labels }, port, rootNamespace);
      return {
        ...{ port, mode },
        ...(by === undefined ? {} : { by: placeOf(by) }),
        overrides: overrides.map(placeOf),
      };
    }),
    policies: enforcedPolicies(dump),
  };
}

/** Where an object is. */
export function placeOf(object: ConfigObject): Place {
  return { object: objectId(object), place: `${object.source}:${object.line}` };
}

/** For people. */
export function podLines({ name, identity, labels, ports, policies }: DescribedPod): readonly string[] {
  const labelWords = Object.entries(labels).map(([key, value]) => `${key}=${String(value)}`);
  const words = ({ object, place }: Place): string => `${object} (${place})`;
  return [
    `Pod: ${name}`,
    `   Identity: ${identity ?? "none: it has no certificate"}`,
    `   Labels: ${labelWords.length === 0 ? "none" : labelWords.join(", ")}`,
    ...ports.flatMap(({ port, mode, by, overrides }) => [
      `Port ${port}: mutual TLS ${mode}, by ${by === undefined ? decidedElsewhere(mode) : words(by)}`,
      ...overrides.map((other) => `   which overrides ${words(other)}`),
    ]),
    ...(policies.length === 0
      ? ["AuthorizationPolicies: none, every request is allowed"]
      : ["AuthorizationPolicies:"]),
    ...policies.map(({ action, policy, rules }) => `   ${action} ${policy}, rules: ${rules}`),
  ];
}

/** Where no policy that is known decides: one that is refused now is served as it was before. */
function decidedElsewhere(mode: TlsMode): string {
  return mode === "PERMISSIVE"
    ? "no PeerAuthentication: it is the default"
    : "no PeerAuthentication of these files";
}
