/**
 * What the control plane counts, under istiod's names, and with its values for types (Istio's `pkg/xds/monitoring.go` and
 * `GetMetricType`).
 */
import type { CounterMetric, HistogramMetric, Metrics } from "../../telemetry/metrics.ts";
import { typeUrl as types } from "../../xds/type-urls.ts";
import type { ConnectionTable } from "./status.ts";

const shortNames: Readonly<Record<string, string>> = {
  [types.cluster]: "cds",
  [types.endpoint]: "eds",
  [types.listener]: "lds",
  [types.route]: "rds",
  [types.secret]: "sds",
  [types.nameTable]: "nds",
  [types.proxyConfig]: "pcds",
  [types.extension]: "ecds",
};

/** Upper bounds in seconds. */
const sendBuckets = [0.01, 0.1, 1, 3, 5, 10, 20, 30];

/** Counters of pushes. */
export class PushMetrics {
  readonly internalErrors: CounterMetric;
  readonly #pushes: CounterMetric;
  readonly #rejects: CounterMetric;
  readonly #expired: CounterMetric;
  readonly #sendTime: HistogramMetric;
  #largestRequest = 0;

  constructor(metrics: Metrics, connections: ConnectionTable) {
    const type = ["type"];
    metrics.computed("xds", "Connected proxies.", {}, () => connections.list().length);
    metrics.computed(
      "xds_recv_max",
      "Bytes of the largest request so far.",
      {},
      () => this.#largestRequest || undefined,
    );
    metrics.computed(
      "xds_refused_resources",
      "Resources that connected proxies refuse: they have what was good before, or nothing.",
      {},
      () =>
        connections
          .list()
          .flatMap(({ types: syncs }) => Object.values(syncs))
          .reduce((sum, { refused = [] }) => sum + refused.length, 0),
    );
    this.#pushes = metrics.counter("xds_pushes", "Responses sent.", type);
    this.internalErrors = metrics.counter(
      "total_xds_internal_errors",
      "Parts of a proxy's configuration that could not be sent.",
    );
    this.#rejects = metrics.counter("total_xds_rejects", "Responses that a proxy refused.", type);
    this.#expired = metrics.counter(
      "xds_expired_nonce",
      "Answers of proxies to responses that newer ones had overtaken.",
      type,
    );
    this.#sendTime = metrics.histogram(
      "xds_send_time",
      "Seconds until a proxy has taken a response off the server's hands.",
      sendBuckets,
    );
  }

  /** @param bytes its size */
  request(bytes: number): void {
    this.#largestRequest = Math.max(this.#largestRequest, bytes);
  }

  /** A response is about to be written. */
  push(typeUrl: string): void {
    this.#pushes.inc(labels(typeUrl));
  }

  /** It was, in so many milliseconds. */
  sent(ms: number): void {
    this.#sendTime.observe(ms / 1_000);
  }

  /** A proxy has refused a response. */
  reject(typeUrl: string): void {
    this.#rejects.inc(labels(typeUrl));
  }

  /** A proxy has answered a response that is not the newest of its type. */
  expired(typeUrl: string): void {
    this.#expired.inc(labels(typeUrl));
  }
}

function labels(typeUrl: string): { readonly type: string } {
  return { type: shortNames[typeUrl] ?? typeUrl };
}
