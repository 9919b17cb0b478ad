/** Envoy's own resources for a scripted control plane, good ones and ones that Envoy cannot use. */
import { pushedTypes, type ResourceKind } from "../../src/controlplane/networking/pushed-types.ts";
import { typeUrl } from "../../src/xds/type-urls.ts";
import type { ScriptedResources } from "./scripted-control-plane.ts";

const ads = { ads: {}, resourceApiVersion: "V3" };
const anyType = (name: string): { "@type": string } => ({ "@type": `type.googleapis.com/${name}` });
const routerType = "envoy.extensions.filters.http.router.v3.Router";

/** One bound listener with its route, cluster and endpoints, all of one name. */
export interface ScriptedService {
  readonly name: string;
  readonly port: number;
  readonly appPort: number;
  /** The resources of it that Envoy cannot use. */
  readonly bad?: readonly ResourceKind[];
  /** Makes every resource of it another one. */
  readonly version?: string;
}

/** All resources of these services. */
export function scriptedServices(services: readonly ScriptedService[]): ScriptedResources {
  const encoded = (
    kind: ResourceKind,
    json: (service: ScriptedService) => object,
  ): Record<string, Record<string, Uint8Array>> => ({
    [typeUrl[kind]]: Object.fromEntries(
      // No field's rules count: what breaks them is Envoy's to refuse.
      services.map((service) => [service.name, pushedTypes[kind].encode(json(service), "none")]),
    ),
  });
  return {
    ...encoded("cluster", cluster),
    ...encoded("endpoint", endpoints),
    ...encoded("listener", listener),
    ...encoded("route", route),
  };
}

function cluster({ name, bad, version }: ScriptedService): object {
  return {
    ...{ name, type: "EDS", connectTimeout: version === undefined ? "1s" : "2s" },
    edsClusterConfig: { edsConfig: ads },
    // Refused when the cluster is made, so that the others of the response are taken.
    ...(bad?.includes("cluster") === true
      ? {
          healthChecks: [
            {
              ...{ timeout: "1s", interval: "1s", unhealthyThreshold: 1, healthyThreshold: 1 },
              customHealthCheck: { name: "no such health check" },
            },
          ],
        }
      : {}),
  };
}

function endpoints({ name, appPort, bad, version }: ScriptedService): object {
  const endpoint = { address: { socketAddress: { address: "127.0.0.1", portValue: appPort } } };
  // A weight of 0 breaks a rule of the message, so that the whole response is refused.
  const weight = bad?.includes("endpoint") === true ? 0 : version === undefined ? 1 : 2;
  return { clusterName: name, endpoints: [{ lbEndpoints: [{ endpoint, loadBalancingWeight: weight }] }] };
}

function route({ name, bad, version = "1" }: ScriptedService): object {
  // RE2 has no lookahead.
  const match = bad?.includes("route") === true ? { safeRegex: { regex: "/(?=a)b" } } : { prefix: "/" };
  const virtualHost = { domains: ["*"], routes: [{ match, route: { cluster: name } }] };
  return { name, virtualHosts: [{ name: version, ...virtualHost }] };
}

function listener({ name, port, bad, version = "1" }: ScriptedService): object {
  const router = anyType(routerType);
  const manager = {
    ...anyType("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
    statPrefix: name,
    rds: { configSource: ads, routeConfigName: name },
    httpFilters: [{ name: `router-${version}`, typedConfig: router }],
  };
  const filter =
    bad?.includes("listener") === true
      ? { name: "no such filter", typedConfig: router }
      : { name: "http", typedConfig: manager };
  return {
    name,
    address: { socketAddress: { address: "127.0.0.1", portValue: port } },
    filterChains: [{ filters: [filter] }],
  };
}
