/**
 * Which mutual TLS a workload's ports demand, by what its Envoy has, and which PeerAuthentication says so. Pure.
 */
import type { ConfigObject } from "../../controlplane/config/objects.ts";
import { byAge } from "../../controlplane/config/objects.ts";
import { at, textAt } from "../../lifecycle/json-path.ts";
import type { ConfigDump } from "../proxy/config-dump.ts";
import { chainsOf, portOf } from "../proxy/views/listener.ts";

/** What a port takes. */
export type TlsMode = "STRICT" | "PERMISSIVE" | "DISABLE";

/** One port of the workload. */
export interface PortTls {
  readonly port: number;
  readonly mode: TlsMode;
}

/** By port, of listeners that are bound and of chains for captured ports. */
export function portsOf({ listener }: Pick<ConfigDump, "listener">): readonly PortTls[] {
  const chains = listener
    .filter(({ json, isDynamic }) => isDynamic && textAt(json, "traffic_direction") === "INBOUND")
    .flatMap((one) =>
      chainsOf(one).map((chain) => {
        const captured = at(chain, "filter_chain_match", "destination_port");
        const own = one.name === "virtualInbound" ? 0 : portOf(one);
        return { port: captured === undefined ? own : Number(captured), chain };
      }),
    )
    // The port that captured connections are brought to is nobody's to call.
    .filter(({ port, chain }) => port > 0 && textAt(chain, "name") !== "virtualInbound-blackhole");
  const ports = Map.groupBy(chains, ({ port }) => port);
  return [...ports]
    .map(([port, of]): PortTls => {
      const demanding = of.filter(({ chain }) => isDemanding(chain)).length;
      return { port, mode: demanding === 0 ? "DISABLE" : demanding === of.length ? "STRICT" : "PERMISSIVE" };
    })
    .toSorted((a, b) => a.port - b.port);
}

function isDemanding(chain: unknown): boolean {
  return at(chain, "transport_socket", "typed_config", "require_client_certificate") === true;
}

type PeerAuthentication = Extract<ConfigObject, { kind: "PeerAuthentication" }>;

/** Who decides, and what is overridden by that. */
export interface PeerDecision {
  /** Undefined where none says anything: PERMISSIVE then. */
  readonly by: PeerAuthentication | undefined;
  readonly overrides: readonly PeerAuthentication[];
}

/** The workload's own policy counts over that of its namespace, and that over the mesh's; of several, the oldest. */
export function peerDecision(
  objects: readonly ConfigObject[],
  workload: { readonly namespace: string; readonly labels: Readonly<Record<string, unknown>> },
  port: number,
  rootNamespace: string,
): PeerDecision {
  const all = objects
    .filter((object): object is PeerAuthentication => object.kind === "PeerAuthentication")
    .toSorted(byAge);
  const labelsOf = ({ spec }: PeerAuthentication): readonly (readonly [string, string])[] =>
    Object.entries(spec.selector?.matchLabels ?? {});
  const isFor = (policy: PeerAuthentication): boolean =>
    labelsOf(policy).every(([name, value]) => workload.labels[name] === value);
  const own = all.filter(
    (policy) => policy.namespace === workload.namespace && labelsOf(policy).length > 0 && isFor(policy),
  );
  const wide = all.filter((policy) => labelsOf(policy).length === 0);
  const ofNamespace = wide.filter(({ namespace }) => namespace === workload.namespace);
  const ofMesh = wide.filter(({ namespace }) => namespace === rootNamespace);
  const says = ({ spec }: PeerAuthentication): boolean =>
    [spec.portLevelMtls?.[String(port)]?.mode, spec.mtls?.mode].some(
      (mode) => mode !== undefined && mode !== "UNSET",
    );
  // In the root namespace there is only what is for the whole mesh; of several, the oldest is the one that counts.
  const isRoot = workload.namespace === rootNamespace;
  const counting = [isRoot ? [] : own, isRoot ? [] : ofNamespace, ofMesh].flatMap((some) => some.slice(0, 1));
  const [by, ...overrides] = counting.filter(says);
  return { by, overrides };
}
