/**
 * What an Envoy has counted until one moment, read from answers of its admin interface. Pure.
 *
 * The connection managers of its listeners count every request, those included that are refused there, and its latency; but
 * Envoy keeps that only where it is told to. What it sends to endpoints it counts always.
 */
import { at, listAt, textAt } from "../../lifecycle/json-path.ts";

/** Which way requests go: to the application, or from it. */
export type Direction = "inbound" | "outbound";

/** How many there have been, of one connection manager or of one endpoint. */
export interface Count {
  readonly requests: number;
  /** Answered with a status of 500 or more, or not at all. */
  readonly errors: number;
}

/** Durations in milliseconds from `from` on, `width` wide, and how many there were. */
export interface Bin {
  readonly from: number;
  readonly width: number;
  readonly count: number;
}

/** Of one direction. */
export interface Flow {
  /** By what has counted. */
  readonly counts: ReadonlyMap<string, Count>;
  /** Of the last flush interval, which is 5 s unless told; undefined where Envoy keeps none. */
  readonly latencies: readonly Bin[] | undefined;
}

/** One look at an Envoy. */
export interface Look extends Readonly<Record<Direction, Flow>> {
  /** Monotonic, in milliseconds. */
  readonly atMs: number;
  /** As it stood at Envoy's last flush; less than before is another Envoy, but for one that took over by hot restart. */
  readonly uptimeSeconds: number;
  /** Another one with each hot restart. */
  readonly hotRestartGeneration: number;
  readonly countedBy: "listeners" | "endpoints";
}

const managers = String.raw`^http\.(inbound|outbound)_.*\.downstream_rq_(completed|5xx|time)$`;
const managerStatistic = new RegExp(managers);

/** Which Envoy it is, and the statistics of its listeners. */
export const statisticsPage = pageOf("/stats?format=json&histogram_buckets=detailed", {
  filter: String.raw`${managers}|^server\.(uptime|hot_restart_generation)$`,
});

/** What it has sent to endpoints; asked where the listeners' statistics are not kept. */
export const endpointsPage = pageOf("/clusters?format=json", { filter: String.raw`^(inbound|outbound)\|` });

function pageOf(path: string, { filter }: { readonly filter: string }): string {
  return `${path}&filter=${encodeURIComponent(filter)}`;
}

/** True where statistics tell of requests, so that endpoints need not be asked. */
export function countsRequests(statistics: unknown): boolean {
  const names = listAt(statistics, "stats").map((one) => textAt(one, "name") ?? "");
  return ["_completed", "_5xx"].every((end) => names.some((name) => name.endsWith(end)));
}

/** @param endpoints undefined where the statistics tell of requests */
export function readLook(statistics: unknown, endpoints: unknown, atMs: number): Look {
  const flow = (direction: Direction): Flow => ({
    counts:
      endpoints === undefined ? managerCounts(statistics, direction) : endpointCounts(endpoints, direction),
    latencies: latenciesOf(statistics, direction),
  });
  const gauge = (name: string): number =>
    count(
      at(
        listAt(statistics, "stats").find((one) => textAt(one, "name") === name),
        "value",
      ),
    );
  return {
    atMs,
    uptimeSeconds: gauge("server.uptime"),
    hotRestartGeneration: gauge("server.hot_restart_generation"),
    countedBy: endpoints === undefined ? "listeners" : "endpoints",
    inbound: flow("inbound"),
    outbound: flow("outbound"),
  };
}

function managerCounts(statistics: unknown, wanted: Direction): ReadonlyMap<string, Count> {
  const counts = new Map<string, Count>();
  for (const one of listAt(statistics, "stats")) {
    const name = textAt(one, "name") ?? "";
    const [, direction, what] = managerStatistic.exec(name) ?? [];
    if (direction !== wanted || what === undefined) continue;
    const manager = name.slice(0, -what.length);
    const before = counts.get(manager) ?? { requests: 0, errors: 0 };
    const value = count(at(one, "value"));
    counts.set(manager, what === "5xx" ? { ...before, errors: value } : { ...before, requests: value });
  }
  return counts;
}

function endpointCounts(endpoints: unknown, wanted: Direction): ReadonlyMap<string, Count> {
  const counts = new Map<string, Count>();
  for (const cluster of listAt(endpoints, "cluster_statuses")) {
    const name = textAt(cluster, "name") ?? "";
    if (!name.startsWith(`${wanted}|`)) continue;
    for (const host of listAt(cluster, "host_statuses")) {
      const values = new Map(listAt(host, "stats").map((one) => [textAt(one, "name"), at(one, "value")]));
      const errors = count(values.get("rq_error"));
      const requests = count(values.get("rq_success")) + errors;
      counts.set(`${name} ${JSON.stringify(at(host, "address"))}`, { requests, errors });
    }
  }
  return counts;
}

function latenciesOf(statistics: unknown, wanted: Direction): readonly Bin[] | undefined {
  const histograms = listAt(statistics, "stats")
    .flatMap((one) => listAt(one, "histograms", "details"))
    .filter((one) => managerStatistic.exec(textAt(one, "name") ?? "")?.[1] === wanted);
  if (histograms.length === 0) return undefined;
  return histograms
    .flatMap((one) => listAt(one, "intervals"))
    .map((bin) => ({
      from: count(at(bin, "lower_bound")),
      width: count(at(bin, "width")),
      count: count(at(bin, "count")),
    }));
}

/** Envoy writes whole numbers of 64 bits as text in some answers, and leaves out a zero. */
function count(value: unknown): number {
  const found = Number(value ?? 0);
  return Number.isFinite(found) && found > 0 ? found : 0;
}
