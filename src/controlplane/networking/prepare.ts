/**
 * What is kept of each service that a view shows, made before anything is generated of it: service by service, so that others have
 * their turn between them. What is generated then finds it made.
 */
import { endpointsOf } from "./eds.ts";
import { outbound } from "./outbound.ts";
import { outboundClusters } from "./outbound-clusters.ts";
import { virtualHost } from "./routes.ts";
import { virtualServiceFinder } from "./rule-match.ts";
import type { ProxyView } from "./view.ts";

/** Changes no result; stops between services. */
export function* prepare(view: ProxyView): Generator<void, void> {
  const { type } = view.proxy;
  if (type === "other") return;
  const [clusters, endpoints] = [outboundClusters(view), endpointsOf(view)];
  for (const service of view.services) {
    clusters(service);
    endpoints(service);
    yield;
  }
  if (type === "router") return;
  for (const { routed, virtualServices, isOnlyHost } of outbound(view).routes) {
    const ruleOf = virtualServiceFinder(virtualServices);
    for (const each of routed) {
      virtualHost(each, ruleOf(each.service.host), view, isOnlyHost);
      yield;
    }
  }
}
