/**
 * What the DNS proxy counts: Istio's names, and its own.
 */
import type { Metrics } from "../telemetry/metrics.ts";
import type { AnswerSource } from "./answer/answerer.ts";
import type { NameTable } from "./table/name-table.ts";
import type { Rejection } from "./upstream/udp-exchange.ts";

/** Where a part tells what happened. */
export interface DnsMetrics {
  readonly answered: (source: AnswerSource) => void;
  readonly asked: (outcome: "answered" | "failed", tookMs: number) => void;
  readonly rejected: (reason: Rejection) => void;
}

/** What is read when somebody asks. */
export interface DnsGauges {
  readonly table: () => NameTable | undefined;
  readonly openQueries: () => number;
  readonly cachedAnswers: () => number;
  readonly unsent: () => number;
}

/** @param metrics with the prefix that all of the agent's have */
export function dnsMetrics(metrics: Metrics, gauges: DnsGauges): DnsMetrics {
  const own = metrics.withPrefix("outrider_");
  const sources = new Map<AnswerSource, number>();
  let requests = 0;
  metrics.computedCounter("dns_requests_total", "Queries that the DNS proxy got.", () => requests);
  const upstreams = metrics.counter(
    "dns_upstream_requests_total",
    "Queries that were sent to upstream servers.",
  );
  const failures = metrics.counter("dns_upstream_failures_total", "Queries to upstream servers that failed.");
  const durations = metrics.histogram(
    "dns_upstream_request_duration_seconds",
    "Seconds that upstream servers took to answer.",
    [0.005, 0.01, 0.1, 1, 5],
  );
  own.computedCounters("dns_answers_total", "Answers to queries, by where they came from.", ["source"], () =>
    [...sources].map(([source, count]) => [{ source }, count] as const),
  );
  const rejected = own.counter(
    "dns_rejected_answers_total",
    "Messages from upstream servers that were not taken for an answer.",
    ["reason"],
  );
  own.computed("dns_table_hosts", "Hosts of the name table.", {}, () => gauges.table()?.facts.hosts);
  own.computed("dns_open_queries", "Queries that wait for an upstream server.", {}, gauges.openQueries);
  own.computed("dns_cached_answers", "Answers of upstream servers that are kept.", {}, gauges.cachedAnswers);
  own.computedCounter("dns_unsent_answers_total", "Answers that could not be sent.", gauges.unsent);
  return {
    answered: (source) => {
      requests += 1;
      sources.set(source, (sources.get(source) ?? 0) + 1);
    },
    asked: (outcome, tookMs) => {
      upstreams.inc();
      if (outcome === "failed") failures.inc();
      else durations.observe(tookMs / 1_000);
    },
    rejected: (reason) => {
      rejected.inc({ reason });
    },
  };
}
