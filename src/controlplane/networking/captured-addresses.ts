/**
 * Where a sidecar that captures listens, and from where it calls its application, by the families of its addresses.
 */
import { isIPv6 } from "node:net";
import type { ListenerJson } from "../../proto/envoy/envoy/config/listener/v3/listener_pb.js";
import type { ClusterJson } from "../../proto/envoy/envoy/config/cluster/v3/cluster_pb.js";
import type { Proxy } from "../model/proxy.ts";
import { socketAddress } from "./load-assignment.ts";

type Addressed = Pick<Proxy, "addresses">;

/** Where every address of its families is: IPv4 first, as Istio has it. */
export function wildcards(proxy: Addressed): readonly [string, ...string[]] {
  const [hasIpv4, hasIpv6] = families(proxy);
  if (!hasIpv6) return ["0.0.0.0"];
  return hasIpv4 ? ["0.0.0.0", "::"] : ["::"];
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

/** A proxy whose addresses say nothing has IPv4. */
function families({ addresses }: Addressed): readonly [hasIpv4: boolean, hasIpv6: boolean] {
  const hasIpv6 = addresses.some((address) => isIPv6(address));
  return [!hasIpv6 || addresses.some((address) => !isIPv6(address)), hasIpv6];
}
