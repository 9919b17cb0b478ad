/**
 * What a proxy may be, by what is known of it otherwise: a pure function.
 *
 * A node says of itself whatever it likes. The credential proves namespace and service account, and the pod where the
 * platform says it; the connection proves an address; a folder knows the workloads that are declared in it.
 */
import { type Endpoint, type Model, selects } from "./model.ts";
import type { Proxy } from "./proxy.ts";

/** A workload, as its credential proves it. */
export interface ProvenIdentity {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Undefined where the platform does not say. */
  readonly pod?: string | undefined;
}

/** Who is at the other end of a stream. */
export interface Peer {
  /** Undefined on a port without authentication. */
  readonly identity: ProvenIdentity | undefined;
  /** Address that the connection comes from. */
  readonly address: string;
}

/** How much of its own word a proxy is believed. */
export interface BindingPolicy {
  /** `workload` demands that the folder declares it, and takes labels and addresses from there. */
  readonly binding: "identity" | "workload";
  /** True where connections come from other addresses than their proxies have. */
  readonly trustsAddresses: boolean;
}

/** The proxy as it is served, or why it is not. */
export type BoundProxy =
  | {
      readonly kind: "bound";
      readonly proxy: Proxy;
      /** The same with the addresses for whose health it may speak; or why for none. */
      readonly health: Proxy | string;
    }
  | { readonly kind: "refused"; readonly reason: string };

/** Addresses of the machine itself. 127.0.0.6 is none: a sidecar before the control plane calls from there. */
const loopback = ["127.0.0.1", "::1"];

/** Bind what a node says to what is known. */
export function bindProxy(said: Proxy, peer: Peer, model: Model, policy: BindingPolicy): BoundProxy {
  const { identity } = peer;
  if (identity === undefined) {
    return { kind: "bound", proxy: said, health: "the port proves no identity: use the one with TLS" };
  }
  const mismatch = mismatchOf(said, identity);
  if (mismatch !== undefined) return refused(identity, said, mismatch);
  const labels = labelsOf(said, model);
  const own = { ...said, labels, serviceAccount: identity.serviceAccount, isProven: true };
  if (policy.binding === "identity")
    return { kind: "bound", proxy: own, health: healthOf(own, peer, policy) };
  const declared = declaredWorkloads(own, model);
  const [first] = declared;
  if (first === undefined) {
    const labels = JSON.stringify(said.labels);
    return refused(
      identity,
      said,
      `the folder declares no workload of this identity at ${said.addresses.join()} whose labels are among ${labels}`,
    );
  }
  const proxy = {
    ...own,
    labels: first.labels,
    addresses: [...new Set(declared.map(({ address }) => address))],
  };
  const health = healthOf(proxy, peer, policy);
  return typeof health === "string" ? refused(identity, said, health) : { kind: "bound", proxy, health };
}

/** Those of its own, and of what stands for it where it was registered. */
function labelsOf({ labels, namespace, registeredAs }: Proxy, { workloads }: Model): Proxy["labels"] {
  if (registeredAs === undefined) return labels;
  const entry = workloads.find((each) => each.name === registeredAs && each.namespace === namespace);
  return { ...labels, ...entry?.labels };
}

function mismatchOf(said: Proxy, { namespace, serviceAccount, pod }: ProvenIdentity): string | undefined {
  const pairs: readonly (readonly [what: string, said: string, proven: string | undefined])[] = [
    ["the namespace of the node ID", said.idNamespace, namespace],
    ["NAMESPACE", said.namespace, namespace],
    ["SERVICE_ACCOUNT", said.serviceAccount, serviceAccount],
    ["the name in the node ID", said.name, pod],
  ];
  for (const [what, value, proven] of pairs) {
    if (proven !== undefined && value !== "" && value !== proven)
      return `${what} is ${value}, the credential proves ${proven}`;
  }
  return said.namespace === "" ? `the node says no namespace, the credential proves ${namespace}` : undefined;
}

function refused({ namespace, serviceAccount }: ProvenIdentity, said: Proxy, reason: string): BoundProxy {
  const node = `${said.namespace}/${said.serviceAccount}`;
  return {
    kind: "refused",
    reason: `no identities (${namespace}/${serviceAccount}) matched ${node} of ${said.id}: ${reason}`,
  };
}

/** Those of its identity and its addresses; the one with the most of its labels comes first, with its like. */
function declaredWorkloads(proxy: Proxy, { workloads }: Model): readonly Endpoint[] {
  const fitting = workloads.filter(
    ({ namespace, serviceAccount, address, labels }) =>
      namespace === proxy.namespace &&
      serviceAccount === proxy.serviceAccount &&
      proxy.addresses.includes(address) &&
      selects(labels, proxy.labels),
  );
  const labelCount = ({ labels }: Endpoint): number => Object.keys(labels).length;
  const most = Math.max(...fitting.map(labelCount));
  return fitting.filter((workload) => labelCount(workload) === most);
}

function healthOf(proxy: Proxy, { address }: Peer, { trustsAddresses }: BindingPolicy): Proxy | string {
  if (trustsAddresses || loopback.includes(address)) return proxy;
  if (proxy.addresses.includes(address)) return { ...proxy, addresses: [address] };
  return (
    `the connection comes from ${address}, the node says ${proxy.addresses.join()}: ` +
    "--trustProxyAddresses takes its word, for proxies behind NAT"
  );
}
