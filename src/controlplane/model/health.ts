/**
 * What proxies say of their workloads, laid over the model: a pure function.
 */
import { type Endpoint, type Model, selects } from "./model.ts";
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

/** The model in which no traffic goes to the workloads of these proxies; services without any of them stay as they are. */
export function withUnhealthy(model: Model, unhealthy: readonly Proxy[]): Model {
  if (unhealthy.length === 0) return model;
  return {
    ...model,
    services: model.services.map((service) => {
      const isUnhealthy = (endpoint: Endpoint): boolean =>
        unhealthy.some((proxy) => isEndpointOf(endpoint, proxy));
      if (!service.endpoints.some(isUnhealthy)) return service;
      return {
        ...service,
        endpoints: service.endpoints.map((endpoint) =>
          isUnhealthy(endpoint) ? { ...endpoint, isHealthy: false } : endpoint,
        ),
      };
    }),
  };
}
