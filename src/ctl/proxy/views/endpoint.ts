/**
 * Endpoints: `ENDPOINT STATUS OUTLIER CHECK CLUSTER`.
 */
import { at, listAt, textAt } from "../../../lifecycle/json-path.ts";
import type { DumpedResource } from "../config-dump.ts";
import { byKeys, type Filters, type View } from "./view.ts";

interface Endpoint {
  readonly endpoint: string;
  readonly status: string;
  readonly outlierCheck: string;
}

/** By address, each with its cluster. */
export const endpointView: View = {
  columns: ["ENDPOINT", "STATUS", "OUTLIER CHECK", "CLUSTER"],
  select: (dump, filters) =>
    dump.endpoint
      .filter((resource) => filters.cluster === undefined || resource.name === filters.cluster)
      .filter((resource) => endpointsOf(resource).some((endpoint) => isMeant(endpoint, filters)))
      .toSorted(byKeys((resource) => [endpointsOf(resource)[0]?.endpoint ?? "", resource.name])),
  rows: (resource, filters) =>
    endpointsOf(resource)
      .filter((endpoint) => isMeant(endpoint, filters))
      .map(({ endpoint, status, outlierCheck }) => [endpoint, status, outlierCheck, resource.name]),
};

/** Of an answer of Envoy's `/clusters?format=json`, which knows what the dump does not: outliers, and names that DNS gave. */
export function clustersAnswer(answer: unknown): readonly DumpedResource[] {
  return listAt(answer, "cluster_statuses").map((status) => ({
    name: textAt(status, "name") ?? "",
    json: status as Readonly<Record<string, unknown>>,
    isDynamic: at(status, "added_via_api") === true,
  }));
}

function endpointsOf({ json }: DumpedResource): readonly Endpoint[] {
  const live = listAt(json, "host_statuses").map((host) => ({
    endpoint: addressWords(at(host, "address")),
    status: textAt(host, "health_status", "eds_health_status") ?? "HEALTHY",
    outlierCheck: at(host, "health_status", "failed_outlier_check") === true ? "FAILED" : "OK",
  }));
  const dumped = listAt(json, "endpoints").flatMap((locality) =>
    listAt(locality, "lb_endpoints").map((host) => ({
      endpoint: addressWords(at(host, "endpoint", "address")),
      status: textAt(host, "health_status") ?? "HEALTHY",
      outlierCheck: "OK",
    })),
  );
  return [...live, ...dumped];
}

function addressWords(address: unknown): string {
  const pipe = textAt(address, "pipe", "path");
  if (pipe !== undefined) return `unix://${pipe}`;
  const name = textAt(address, "envoy_internal_address", "server_listener_name");
  if (name !== undefined) return `envoy://${name}`;
  return `${textAt(address, "socket_address", "address") ?? ""}:${Number(at(address, "socket_address", "port_value") ?? 0)}`;
}

function isMeant({ endpoint, status }: Endpoint, { address, port, status: wanted }: Filters): boolean {
  const colon = endpoint.lastIndexOf(":");
  return (
    (address === undefined || endpoint.slice(0, colon) === address) &&
    (port === undefined || Number(endpoint.slice(colon + 1)) === port) &&
    (wanted === undefined || status.toLowerCase() === wanted.toLowerCase())
  );
}
