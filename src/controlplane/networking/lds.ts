/**
 * The listeners of one proxy (LDS).
 */
import type { ListenerJson } from "../../proto/envoy/envoy/config/listener/v3/listener_pb.js";
import { boundInbound, boundOutbound } from "./bound.ts";
import { capturedOutbound, virtualInbound, virtualOutbound } from "./captured.ts";
import { inboundPorts, undeclaredPorts } from "./inbound-ports.ts";
import type { ProxyView } from "./view.ts";
import { allowsAny } from "./visibility.ts";

/** What captured traffic comes to, or the ports that the Sidecar names. */
export function generateListeners(view: ProxyView): readonly ListenerJson[] {
  const { model, proxy, sidecar, services } = view;
  if (proxy.interceptionMode === "NONE") {
    return [
      ...(sidecar?.ingress ?? []).map((entry) => boundInbound(model, proxy, entry)),
      ...boundOutbound(view).map(({ listener }) => listener),
    ];
  }
  const ports = inboundPorts(view);
  return [
    virtualOutbound(proxy, allowsAny(sidecar)),
    ...capturedOutbound(proxy, services),
    virtualInbound(proxy, ports, undeclaredPorts(view, ports)),
  ];
}
