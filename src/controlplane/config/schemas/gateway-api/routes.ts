/**
 * Where requests and connections go: HTTPRoute, GRPCRoute, TLSRoute and TCPRoute.
 */
import { integer, list, object, oneOf, optional, required, text } from "../../decode.ts";
import { isLine } from "../../forms.ts";
import { count, duration, positiveDuration } from "../common.ts";
import { comparedValue, grpcFilter, headerNameText, httpFilter } from "./filters.ts";
import { backendFields, hostname, parentRef, sectionName, weight } from "./references.ts";

const parentRefs = optional(list(parentRef));
const hostnames = optional(list(hostname));
const headerMatches = optional(list(object({ ...comparedValue, name: required(headerNameText) })));
const parameterName = text("the name of a parameter");

const path = object({
  type: optional(oneOf("Exact", "PathPrefix", "RegularExpression")),
  value: optional(text("a path, or an expression for one", isLine)),
});

export const httpRouteMatch = object({
  path: optional(path),
  headers: headerMatches,
  queryParams: optional(list(object({ ...comparedValue, name: required(parameterName) }))),
  method: optional(oneOf("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")),
});

export const httpRouteRule = object({
  name: optional(sectionName),
  matches: optional(list(httpRouteMatch)),
  filters: optional(list(httpFilter)),
  backendRefs: optional(
    list(object({ ...backendFields, weight: optional(weight), filters: optional(list(httpFilter)) })),
  ),
  timeouts: optional(object({ request: optional(duration), backendRequest: optional(duration) })),
  retry: optional(
    object({
      codes: optional(list(integer(400, 599))),
      attempts: optional(count),
      backoff: optional(positiveDuration),
    }),
  ),
});

export const httpRoute = object({ parentRefs, hostnames, rules: optional(list(httpRouteRule)) });

export const grpcRouteMatch = object({
  method: optional(
    object({
      type: optional(oneOf("Exact", "RegularExpression")),
      service: optional(text("the name of a service of gRPC", isLine)),
      method: optional(text("the name of a method of gRPC", isLine)),
    }),
  ),
  headers: headerMatches,
});

export const grpcRouteRule = object({
  name: optional(sectionName),
  matches: optional(list(grpcRouteMatch)),
  filters: optional(list(grpcFilter)),
  backendRefs: optional(
    list(object({ ...backendFields, weight: optional(weight), filters: optional(list(grpcFilter)) })),
  ),
});

export const grpcRoute = object({ parentRefs, hostnames, rules: optional(list(grpcRouteRule)) });

const connectionRule = object({
  name: optional(sectionName),
  backendRefs: required(list(object({ ...backendFields, weight: optional(weight) }), 1)),
});

export const tlsRoute = object({ parentRefs, hostnames, rules: required(list(connectionRule, 1)) });

export const tcpRoute = object({ parentRefs, rules: required(list(connectionRule, 1)) });
