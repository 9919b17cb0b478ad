/**
 * What proxies say of their workloads, laid over the model: a pure function.
 */
import { type Endpoint, type Model, selects, type Service } from "./model.ts";
import type { Proxy } from "./proxy.ts";

/** True for an endpoint that leads to the proxy's workload; without an identity it has no proxy. */
export function isEndpointOf(endpoint: Endpoint, proxy: Proxy): boolean {
  return (
    endpoint.namespace === proxy.namespace &&
    endpoint.serviceAccount !== "" &&
    endpoint.serviceAccount === proxy.serviceAccount &&
    proxy.addresses.includes(endpoint.address) &&
    selects(endpoint.labels, proxy.labels)
  );
}

/** A service without some of its endpoints, by the service: the same one for as long as both are the same. */
export type ReducedServices = WeakMap<Service, { readonly places: string; readonly service: Service }>;

/**
 * The model in which no traffic goes to the workloads of these proxies; services without any of them stay as they are.
 *
 * @param reduced what was made before, and is made now: what is kept by a service is made anew for each other one
 */
export function withUnhealthy(
  model: Model,
  unhealthy: readonly Proxy[],
  reduced: ReducedServices = new WeakMap(),
): Model {
  if (unhealthy.length === 0) return model;
  return {
    ...model,
    services: model.services.map((service) => {
      const ill = new Set(
        [...service.endpoints.entries()].flatMap(([place, endpoint]) =>
          unhealthy.some((proxy) => isEndpointOf(endpoint, proxy)) ? [place] : [],
        ),
      );
      if (ill.size === 0) return service;
      const places = [...ill].join();
      const before = reduced.get(service);
      if (before?.places === places) return before.service;
      const endpoints = service.endpoints.map((endpoint, place) =>
        ill.has(place) ? { ...endpoint, isHealthy: false } : endpoint,
      );
      const made = { ...service, endpoints };
      reduced.set(service, { places, service: made });
      return made;
    }),
  };
}
