/**
 * Changes of what proxies are told, in Envoy's own words: EnvoyFilter.
 */
import { integer, list, mapping, object, oneOf, optional, required, text } from "../decode.ts";
import { json, jsonObject } from "../json-value.ts";
import { labels, portNumber, regularExpression, targetRef } from "./common.ts";

const name = optional(text());
const namedMatch = optional(object({ name }));

const listener = object({
  name,
  portNumber: optional(portNumber),
  portName: name,
  listenerFilter: name,
  filterChain: optional(
    object({
      name,
      sni: name,
      transportProtocol: name,
      applicationProtocols: name,
      destinationPort: optional(portNumber),
      filter: optional(object({ name, subFilter: namedMatch })),
    }),
  ),
});

const routeConfiguration = object({
  name,
  portNumber: optional(portNumber),
  portName: name,
  gateway: name,
  vhost: optional(
    object({
      name,
      domainName: name,
      route: optional(
        object({ name, action: optional(oneOf("ANY", "ROUTE", "REDIRECT", "DIRECT_RESPONSE")) }),
      ),
    }),
  ),
});

const cluster = object({ name, service: name, subset: name, portNumber: optional(portNumber) });

const match = object({
  context: optional(oneOf("ANY", "SIDECAR_INBOUND", "SIDECAR_OUTBOUND", "GATEWAY", "WAYPOINT")),
  proxy: optional(
    object({
      proxyVersion: optional(regularExpression),
      metadata: optional(mapping(text("text", () => true))),
    }),
  ),
  listener: optional(listener),
  routeConfiguration: optional(routeConfiguration),
  cluster: optional(cluster),
  waypoint: optional(json),
});

const applyTo = oneOf(
  ...(["LISTENER", "FILTER_CHAIN", "NETWORK_FILTER", "HTTP_FILTER", "LISTENER_FILTER"] as const),
  ...(["ROUTE_CONFIGURATION", "VIRTUAL_HOST", "HTTP_ROUTE", "CLUSTER", "EXTENSION_CONFIG"] as const),
  "BOOTSTRAP",
);

const operation = oneOf(
  ...(["MERGE", "MERGE_AND_REPLACE_LIST", "ADD", "REMOVE", "REPLACE"] as const),
  ...(["INSERT_BEFORE", "INSERT_AFTER", "INSERT_FIRST"] as const),
);

export const configPatch = object({
  applyTo: required(applyTo),
  match: optional(match),
  patch: required(
    object({
      operation: required(operation),
      value: optional(jsonObject),
      filterClass: optional(oneOf("UNSPECIFIED", "AUTHN", "AUTHZ", "STATS")),
    }),
  ),
});

export const envoyFilter = object({
  workloadSelector: optional(object({ labels: optional(labels) })),
  targetRefs: optional(list(targetRef)),
  priority: optional(integer(-2_147_483_648, 2_147_483_647)),
  configPatches: optional(list(configPatch)),
});
