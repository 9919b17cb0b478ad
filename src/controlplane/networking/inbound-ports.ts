/**
 * Which ports a captured workload is called at, and what it accepts on each.
 */
import { protocolOf } from "../model/build-model.ts";
import { mutualTlsMode, portOf, portsWithOwnMode } from "../model/model.ts";
import type { InboundPort, UndeclaredPorts } from "./inbound.ts";
import type { WorkloadView } from "./view.ts";

/**
 * Ports of the Sidecar's ingress, else those of the services of its namespace whose endpoint the proxy is: the oldest
 * counts.
 */
export function inboundPorts({ model, proxy, sidecar, services }: WorkloadView): readonly InboundPort[] {
  const found = new Map<number, Pick<InboundPort, "protocol" | "service">>();
  if (sidecar?.ingress !== undefined) {
    for (const { port } of sidecar.ingress)
      found.set(port.number, { protocol: protocolOf(port.protocol), service: undefined });
  } else {
    for (const { host, endpoints, ports } of services) {
      for (const endpoint of endpoints.filter(({ address }) => proxy.addresses.includes(address))) {
        for (const port of ports) {
          const number = portOf(endpoint, port);
          if (!found.has(number))
            found.set(number, { protocol: port.protocol, service: { host, port: port.number } });
        }
      }
    }
  }
  return [...found].map(([port, what]) => ({
    port,
    ...what,
    mode: mutualTlsMode(model, proxy, port),
    isCaptured: true,
  }));
}

/** All other ports by the workload's mode, and those for which a policy has one of their own. */
export function undeclaredPorts(
  { model, proxy }: WorkloadView,
  declared: readonly InboundPort[],
): readonly UndeclaredPorts[] {
  const known = new Set(declared.map(({ port }) => port));
  const named = portsWithOwnMode(model, proxy).filter((port) => !known.has(port));
  return [undefined, ...named].map((port) => ({ port, mode: mutualTlsMode(model, proxy, port) }));
}
