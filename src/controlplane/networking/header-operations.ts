/**
 * What a VirtualService does to headers.
 */
import type { HeaderValueOptionJson } from "../../proto/envoy/envoy/config/core/v3/base_pb.js";
import type { RouteJson } from "../../proto/envoy/envoy/config/route/v3/route_components_pb.js";
import type { HeadersSpec } from "../config/objects.ts";

/** Host headers are the route's own, and no header that it may change. */
export function isHostHeader(name: string): boolean {
  return ["host", ":authority"].includes(name.toLowerCase());
}

/** What is set, added and removed on the way there and back. */
export function headerOperations(
  all: readonly (HeadersSpec | undefined)[],
): Pick<
  RouteJson,
  "requestHeadersToAdd" | "requestHeadersToRemove" | "responseHeadersToAdd" | "responseHeadersToRemove"
> {
  const added = (side: "request" | "response"): HeaderValueOptionJson[] =>
    all.flatMap((headers) => {
      const { set = {}, add = {} } = headers?.[side] ?? {};
      const entries = (values: Readonly<Record<string, string>>): readonly (readonly [string, string])[] =>
        Object.entries(values).filter(([name]) => side === "response" || !isHostHeader(name));
      return [
        ...entries(set).map(([key, value]) => ({
          header: { key, value },
          appendAction: "OVERWRITE_IF_EXISTS_OR_ADD" as const,
        })),
        ...entries(add).map(([key, value]) => ({ header: { key, value } })),
      ];
    });
  const removed = (side: "request" | "response"): string[] =>
    all.flatMap((headers) => headers?.[side]?.remove ?? []);
  const operations = {
    requestHeadersToAdd: added("request"),
    requestHeadersToRemove: removed("request"),
    responseHeadersToAdd: added("response"),
    responseHeadersToRemove: removed("response"),
  };
  return Object.fromEntries(Object.entries(operations).filter(([, list]) => list.length > 0));
}
