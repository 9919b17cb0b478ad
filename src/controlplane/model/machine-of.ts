/**
 * The machine that a proxy asks to be registered as (`ISTIO_META_AUTO_REGISTER_GROUP` of its agent): a pure function.
 *
 * What a node says becomes an object that others call: identity and address are those that are proven, and what is not of the
 * form of an object is left out.
 */
import { isAddress, isLabelKey, isLabelValue, isLocality, isResourceName } from "../config/forms.ts";
import { entryName, type Machine } from "../registry/auto-registration/machine.ts";
import type {
  RegisteredConnection,
  RegisteredMachines,
} from "../registry/auto-registration/registered-machines.ts";
import { type BindingPolicy, bindProxy, type Peer } from "./bind-proxy.ts";
import type { Model } from "./model.ts";
import type { Proxy } from "./proxy.ts";

/** Where machines are registered. */
export type MachineRegistry = Pick<RegisteredMachines, "connect">;

/** One that is connected. */
export type RegisteredMachine = RegisteredConnection;

/** The machine, or why the proxy is not registered. */
export type MachineOutcome =
  | { readonly kind: "machine"; readonly machine: Machine }
  | {
      readonly kind: "refused";
      readonly code: "PERMISSION_DENIED" | "INVALID_ARGUMENT";
      readonly reason: string;
    };

/** A node has no more of them that mean anything. */
const mostLabels = 64;

/** Place of an endpoint, as a label of older agents. */
const localityLabel = "istio-locality";

/** Undefined for a proxy that does not ask. */
export function machineOf(
  said: Proxy,
  peer: Peer,
  model: Model,
  policy: BindingPolicy,
): MachineOutcome | undefined {
  const { metadata = {}, locality = "" } = said;
  const group = metadata["AUTO_REGISTER_GROUP"];
  if (typeof group !== "string" || group === "") return undefined;
  const { identity } = peer;
  const bound = bindProxy(said, peer, model, { ...policy, binding: "identity" });
  if (bound.kind === "refused") return { kind: "refused", code: "PERMISSION_DENIED", reason: bound.reason };
  // Who may not speak for the health of an address may not say that a workload is there either.
  if (typeof bound.health === "string" || identity === undefined) {
    const why = typeof bound.health === "string" ? bound.health : "the port proves no identity";
    return { kind: "refused", code: "PERMISSION_DENIED", reason: `${said.id} is not registered: ${why}` };
  }
  const network = metadata["NETWORK"];
  const machine: Machine = {
    group,
    namespace: identity.namespace,
    serviceAccount: identity.serviceAccount,
    address: bound.health.addresses[0] ?? "",
    network: typeof network === "string" ? network : "",
    // Who has to be declared is what the group says, and not what it says itself.
    labels: policy.binding === "workload" ? {} : labelsOf(said),
    locality: isLocality(locality) ? locality : "",
    isChecked: hasReadinessProbe(metadata["PROXY_CONFIG"]),
  };
  if (isResourceName(group) && isAddress(machine.address) && isResourceName(entryName(machine)))
    return { kind: "machine", machine };
  const reason =
    "a machine is registered by AUTO_REGISTER_GROUP, NETWORK and an IP address, which make the name of an object";
  return { kind: "refused", code: "INVALID_ARGUMENT", reason };
}

function labelsOf({ labels }: Proxy): Readonly<Record<string, string>> {
  const pairs = Object.entries(labels as Readonly<Record<string, unknown>>).filter(
    (pair): pair is [string, string] =>
      pair[0] !== localityLabel &&
      typeof pair[1] === "string" &&
      isLabelKey(pair[0]) &&
      isLabelValue(pair[1]),
  );
  return Object.fromEntries(pairs.slice(0, mostLabels));
}

function hasReadinessProbe(proxyConfig: unknown): boolean {
  return typeof proxyConfig === "object" && proxyConfig !== null && "readinessProbe" in proxyConfig;
}
