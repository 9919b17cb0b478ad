/**
 * Where nothing is captured (INTERCEPTION_MODE NONE), the services that a scope shows are called at the loopback address, by their own ports:
 * who calls one has to say which, by its host or its server name. Where there is neither, the first service at a port has it.
 */
import type { ListenerJson } from "../../proto/envoy/envoy/config/listener/v3/listener_pb.js";
import { sidecarPorts } from "../config/sidecar-ports.ts";
import { autoListener, type Outbound } from "./captured.ts";
import { connectionChains } from "./connections.ts";
import { outboundHttp } from "./filters.ts";
import { socketAddress } from "./load-assignment.ts";
import { isHttp } from "./names.ts";
import type { RouteSet } from "./routes.ts";
import { virtualServiceFinder } from "./rule-match.ts";
import type { ProxyView } from "./view.ts";
import type { EgressScope } from "./visibility.ts";

/** The first port that everybody may bind. */
const firstUnprivileged = 1_024;

/** @param taken ports of listeners that the Sidecar names itself */
export function boundServices(view: ProxyView, scope: EgressScope, taken: ReadonlySet<number>): Outbound {
  const { wildcards, isUnprivileged } = view.proxy;
  const address = wildcards[0] === "::" ? "::1" : "127.0.0.1";
  const { virtualServices } = scope;
  const ruleOf = virtualServiceFinder(virtualServices);
  const listeners = new Map<number, ListenerJson>();
  const routed = new Map<number, RouteSet["routed"][number][]>();
  const ownRoutes: RouteSet[] = [];
  const isFree = (number: number): boolean =>
    !taken.has(number) && !sidecarPorts.has(number) && !(isUnprivileged && number < firstUnprivileged);
  for (const service of scope.services) {
    const rule = ruleOf(service.host);
    for (const port of service.ports.filter(({ number }) => isFree(number))) {
      const { number } = port;
      const name = `${address}_${number}`;
      const where = boundAt(address, number);
      if (isHttp(port)) {
        const there = routed.get(number);
        if (there !== undefined) there.push({ service, port });
        if (listeners.has(number)) continue;
        routed.set(number, [{ service, port }]);
        const filters = [outboundHttp(`outbound_${name};`, String(number))];
        listeners.set(number, { ...where, name, filterChains: [{ filters }] });
        continue;
      }
      if (listeners.has(number)) continue;
      const all = { ranges: [], byServerName: false };
      const chains = connectionChains(view, { service, port, rule }, all);
      if (port.protocol !== "auto") {
        listeners.set(number, { ...where, name, filterChains: [...chains] });
        continue;
      }
      const routeName = `${service.host}:${number}`;
      ownRoutes.push({ name: routeName, routed: [{ service, port }], virtualServices, isOnlyHost: true });
      const { bindToPort: _captured, ...listener } = autoListener(address, port, routeName, chains[0]);
      listeners.set(number, listener);
    }
  }
  return {
    listeners: [...listeners.values()],
    routes: [
      ...[...routed].map(([number, list]) => ({
        ...{ name: String(number), routed: list },
        ...{ virtualServices, isOnlyHost: false },
      })),
      ...ownRoutes,
    ],
  };
}

function boundAt(address: string, number: number): Omit<ListenerJson, "name" | "filterChains"> {
  return {
    address: socketAddress(address, number),
    trafficDirection: "OUTBOUND",
    listenerFiltersTimeout: "0s",
    continueOnListenerFiltersTimeout: true,
  };
}
