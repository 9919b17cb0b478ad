/**
 * Which ports a captured workload is called at, and what it accepts on each.
 */
import { protocolOf } from "../model/build-model.ts";
import { mutualTlsMode, portOf, portsWithOwnMode, type Protocol } from "../model/model.ts";
import type { InboundPort, UndeclaredPorts } from "./inbound.ts";
import type { ProxyView } from "./view.ts";

/** Ports of the Sidecar's ingress, else those of the services whose endpoint the proxy is. */
export function inboundPorts({ model, proxy, sidecar }: ProxyView): readonly InboundPort[] {
  const found = new Map<number, Protocol>();
  if (sidecar?.ingress !== undefined) {
    for (const { port } of sidecar.ingress) found.set(port.number, protocolOf(port.protocol));
  } else {
    for (const { endpoints, ports } of model.services) {
      for (const endpoint of endpoints.filter(({ address }) => proxy.addresses.includes(address))) {
        for (const port of ports) found.set(portOf(endpoint, port), port.protocol);
      }
    }
  }
  return [...found].map(([port, protocol]) => ({
    port,
    protocol,
    mode: mutualTlsMode(model, proxy, port),
    trustDomains: model.settings.trustDomains,
    isCaptured: true,
  }));
}

/** All other ports by the workload's mode, and those for which a policy has one of their own. */
export function undeclaredPorts(
  { model, proxy }: ProxyView,
  declared: readonly InboundPort[],
): readonly UndeclaredPorts[] {
  const { trustDomains } = model.settings;
  const known = new Set(declared.map(({ port }) => port));
  const named = portsWithOwnMode(model, proxy).filter((port) => !known.has(port));
  return [undefined, ...named].map((port) => ({
    port,
    mode: mutualTlsMode(model, proxy, port),
    trustDomains,
  }));
}
