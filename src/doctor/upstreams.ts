/**
 * Upstreams to which the running Envoy gets no connections, or which it has put aside, by its own counts (Envoy's
 * documentation of `/clusters`).
 */
import { AdminClient } from "../envoy/admin/admin.ts";
import { at, listAt, textAt } from "../lifecycle/json-path.ts";
import { type Finding, ok, warning } from "./finding.ts";
import type { Check } from "./run-checks.ts";

/** One endpoint of a cluster; counts since Envoy knows it. */
export interface UpstreamHost {
  readonly cluster: string;
  readonly address: string;
  readonly connections: number;
  readonly failedConnections: number;
  /** Connections of now; Envoy counts those that it is making, too. */
  readonly active: number;
  /** Requests, or connections of TCP, that were given to it; none is before it takes a connection. */
  readonly requests: number;
  /** Why Envoy sends it nothing: `failed_outlier_check` and the like. */
  readonly aside: readonly string[];
}

const name = "upstreams";

/** Longest wait for Envoy, in milliseconds. */
const askMs = 2_000;

/** Endpoints that are named. */
const shown = 5;

/** The share of connections from which on it is more than an endpoint that has just gone. */
const failingShare = 0.5;

/** Those that lead to the agent, which has findings of its own; Envoy calls them before the agent can answer. */
const ownClusters = new Set(["agent", "prometheus_stats", "sds-grpc", "sds-files-grpc", "xds-grpc"]);

/** Reads what `/clusters?format=json` answers. */
export function upstreamHosts(answer: unknown): readonly UpstreamHost[] {
  const clusters = listAt(answer, "cluster_statuses").filter(
    (cluster) => !ownClusters.has(textAt(cluster, "name") ?? ""),
  );
  return clusters.flatMap((cluster) =>
    listAt(cluster, "host_statuses").map((host): UpstreamHost => {
      const count = (stat: string): number =>
        Number(
          textAt(
            listAt(host, "stats").find((one) => textAt(one, "name") === stat),
            "value",
          ) ?? 0,
        );
      const health = at(host, "health_status");
      const address = textAt(host, "address", "socket_address", "address");
      const port = at(host, "address", "socket_address", "port_value");
      return {
        cluster: textAt(cluster, "name") ?? "",
        address:
          address === undefined
            ? (textAt(host, "address", "pipe", "path") ?? "")
            : `${address}:${String(port)}`,
        connections: count("cx_total"),
        failedConnections: count("cx_connect_fail"),
        active: count("cx_active"),
        requests: count("rq_total"),
        // One that is degraded gets traffic.
        aside: ["failed_active_health_check", "failed_outlier_check"].filter(
          (flag) => at(health, flag) === true,
        ),
      };
    }),
  );
}

/** Those that fail, or that none does. */
export function judgeUpstreams(hosts: readonly UpstreamHost[]): Finding {
  const failing = hosts.filter((host) => host.aside.length > 0 || takesNone(host));
  if (failing.length === 0)
    return ok(name, `Envoy reaches those of its ${hosts.length} upstreams that it has called`);
  const described = failing
    .slice(0, shown)
    .map(({ cluster, address, connections, failedConnections, aside }) => {
      const why = aside.length === 0 ? "" : `, put aside (${aside.join(", ")})`;
      return `${cluster} at ${address}: ${failedConnections} of ${connections} connections failed${why}`;
    });
  const more = failing.length > shown ? `, and ${failing.length - shown} more` : "";
  return warning(
    name,
    described.join("; ") + more,
    "see that it listens there, that no policy is in the way, and that it trusts this workload and is trusted; of a " +
      "certificate that Envoy refuses there is a finding upstream-untrusted",
  );
}

/** The counts never forget: one that was away and serves now has connections. */
function takesNone({ connections, failedConnections, active, requests }: UpstreamHost): boolean {
  if (active > 0 && requests > 0) return false;
  return failedConnections > 0 && failedConnections >= connections * failingShare;
}

/** Without an Envoy there is nobody to ask. @param admin where the agent leads to Envoy's admin interface */
export function upstreamChecks(
  admin: ConstructorParameters<typeof AdminClient>[0],
  envoys: readonly number[],
): readonly Check[] {
  if (envoys.length === 0) return [];
  return [
    {
      name,
      run: async () => [judgeUpstreams(upstreamHosts(await new AdminClient(admin).clusters(askMs)))],
    },
  ];
}
