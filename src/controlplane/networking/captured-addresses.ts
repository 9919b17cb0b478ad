/**
 * Where a sidecar that captures listens, and from where it calls its application, by the families of its addresses.
 */
import type { ListenerJson } from "../../proto/envoy/envoy/config/listener/v3/listener_pb.js";
import type { ClusterJson } from "../../proto/envoy/envoy/config/cluster/v3/cluster_pb.js";
import { type Caller, type Wildcard, wildcardsOf } from "../model/caller.ts";
import type { Proxy } from "../model/proxy.ts";
import { socketAddress } from "./load-assignment.ts";

type Addressed = Pick<Proxy, "addresses"> | Pick<Caller, "wildcards">;

/** Where every address of its families is. */
export function wildcards(proxy: Addressed): readonly [Wildcard, ...Wildcard[]] {
  return "wildcards" in proxy ? proxy.wildcards : wildcardsOf(proxy.addresses);
}

/** True for what stands for every address of a family. */
export function isWildcard(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}

/** Every address of its families, at a port. */
export function onEveryAddress(
  proxy: Addressed,
  port: number,
): Pick<ListenerJson, "address" | "additionalAddresses"> {
  const [first, ...others] = wildcards(proxy);
  return {
    address: socketAddress(first, port),
    ...(others.length === 0
      ? {}
      : { additionalAddresses: others.map((address) => ({ address: socketAddress(address, port) })) }),
  };
}

/** What Envoy sends from Istio's passthrough addresses is not captured again. */
export function fromPassthroughAddress(proxy: Addressed): Pick<ClusterJson, "upstreamBindConfig"> {
  const [first, ...others] = wildcards(proxy).map((wildcard) => ({
    address: wildcard === "::" ? "::6" : "127.0.0.6",
    portValue: 0,
  }));
  return {
    upstreamBindConfig: {
      ...(first === undefined ? {} : { sourceAddress: first }),
      ...(others.length === 0 ? {} : { extraSourceAddresses: others.map((address) => ({ address })) }),
    },
  };
}
