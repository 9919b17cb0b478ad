/**
 * The listeners of one proxy (LDS).
 */
import type { ListenerJson } from "../../proto/envoy/envoy/config/listener/v3/listener_pb.js";
import { inboundPolicies } from "./authorization/inbound-policies.ts";
import { boundInbound } from "./bound.ts";
import { inboundPorts, undeclaredPorts } from "./inbound-ports.ts";
import { outbound, uniqueByName } from "./outbound.ts";
import type { ProxyView } from "./view.ts";
import { virtualInbound, virtualOutbound } from "./virtual-listeners.ts";
import { allowsAny } from "./visibility.ts";

/** What captured traffic comes to, or the ports that the Sidecar names. */
export function generateListeners(view: ProxyView): readonly ListenerJson[] {
  const { proxy, sidecar } = view;
  if (proxy.type === "router" || proxy.type === "other") return [];
  const policies = inboundPolicies(view);
  const { listeners } = outbound(view);
  if (proxy.interceptionMode === "NONE")
    return uniqueByName([
      ...(sidecar?.ingress ?? []).map((entry) => boundInbound(view, entry, policies)),
      ...listeners,
    ]);
  const ports = inboundPorts(view);
  return [
    virtualOutbound(proxy, allowsAny(sidecar)),
    ...listeners,
    virtualInbound(proxy, ports, undeclaredPorts(view, ports), policies),
  ];
}
