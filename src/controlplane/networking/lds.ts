/**
 * The listeners of one proxy (LDS).
 */
import type { ListenerJson } from "../../proto/envoy/envoy/config/listener/v3/listener_pb.js";
import { inboundPolicies } from "./authorization/inbound-policies.ts";
import { boundInbound } from "./bound.ts";
import { gatewayListeners } from "./gateway/listeners.ts";
import { inboundPorts, undeclaredPorts } from "./inbound-ports.ts";
import { tracedNodeOf } from "../model/caller.ts";
import { outbound, uniqueByName } from "./outbound.ts";
import type { ProxyView, WorkloadView } from "./view.ts";
import { callerPatches, ownPatches } from "./envoy-filter/for-proxy.ts";
import { patchedListeners } from "./envoy-filter/listeners.ts";
import { withExtensions } from "./extensions/outbound.ts";
import { withTelemetry } from "./telemetry/observe.ts";
import { virtualInbound, virtualOutbound } from "./virtual-listeners.ts";
import { allowsAny } from "./visibility.ts";

/** What captured outbound traffic comes to, or the egress ports that the Sidecar names. */
export function generateListeners(view: ProxyView): readonly ListenerJson[] {
  const listeners = withTelemetry(outboundListeners(view), { ...view, side: "CLIENT" });
  return patchedListeners(listeners, callerPatches(view));
}

function outboundListeners(view: ProxyView): readonly ListenerJson[] {
  const { proxy, sidecar } = view;
  if (proxy.type === "router") return gatewayListeners(view);
  if (proxy.type === "other") return [];
  const listeners = withExtensions(outbound(view).listeners, view);
  return proxy.interceptionMode === "NONE"
    ? listeners
    : [virtualOutbound(proxy, allowsAny(sidecar)), ...listeners];
}

/** Those by which the workload itself is called. */
export function generateOwnListeners(view: WorkloadView): readonly ListenerJson[] {
  const proxy = { ...view.proxy, traced: tracedNodeOf(view.proxy, view.model) };
  const listeners = withTelemetry(inboundListeners(view), { ...view, proxy, side: "SERVER" });
  return patchedListeners(listeners, ownPatches(view));
}

function inboundListeners(view: WorkloadView): readonly ListenerJson[] {
  const { proxy, sidecar } = view;
  if (proxy.type === "router" || proxy.type === "other") return [];
  const policies = inboundPolicies(view, "SERVER");
  if (proxy.interceptionMode === "NONE")
    return uniqueByName((sidecar?.ingress ?? []).map((entry) => boundInbound(view, entry, policies)));
  const ports = inboundPorts(view);
  return [virtualInbound(proxy, ports, undeclaredPorts(view, ports), policies)];
}
