/**
 * The metrics of the ADS proxy. Those without `xds_` in their name are Istio's.
 */
import { fileAgeMs } from "../../lifecycle/wall-clock.ts";
import type { CounterMetric, HistogramMetric, Metrics } from "../../telemetry/metrics.ts";
import type { StreamFailure, Termination } from "../upstream/failure.ts";
import type { TypeEvent, XdsState } from "./state.ts";

/** Upper bounds in seconds: an acknowledgement takes milliseconds, or as long as Envoy warms a listener. */
const latencyBuckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60];

/** Why a stream to the discovery server ended, or did not come about. */
type EndCause = Termination | StreamFailure["kind"] | "back" | "root-changed" | "watchdog";

/** Counts what passes. */
export class XdsMetrics {
  readonly #failures: CounterMetric;
  readonly #upstreamEnds: CounterMetric;
  readonly #envoyEnds: CounterMetric;
  readonly #requests: CounterMetric;
  readonly #responses: CounterMetric;
  readonly #pushes: CounterMetric;
  readonly #nacks: CounterMetric;
  readonly #bytes: CounterMetric;
  readonly #reconnects: CounterMetric;
  readonly #cacheServed: CounterMetric;
  readonly #latency: HistogramMetric;

  constructor(metrics: Metrics, state: () => XdsState) {
    const stateMs = (): number => performance.now() - state().sinceMs;
    const type = ["type"];
    this.#failures = metrics.counter(
      "istiod_connection_failures",
      "Connections to the discovery server that failed.",
    );
    this.#upstreamEnds = metrics.counter(
      "istiod_connection_terminations",
      "Streams that the discovery server ended.",
      type,
    );
    this.#envoyEnds = metrics.counter("envoy_connection_terminations", "Streams that Envoy ended.", type);
    this.#requests = metrics.counter("xds_proxy_requests", "Requests of Envoy.");
    this.#responses = metrics.counter("xds_proxy_responses", "Responses of the discovery server.");
    this.#pushes = metrics.counter("xds_pushes_total", "Responses of the discovery server by type.", type);
    this.#nacks = metrics.counter("xds_nacks_total", "Responses that Envoy refused.", type);
    this.#bytes = metrics.counter(
      "xds_bytes_total",
      "Bytes of messages between Envoy and the discovery server.",
      ["direction"],
    );
    this.#reconnects = metrics.counter(
      "xds_stream_ends_total",
      "Streams to the discovery server that ended or did not come about, by cause.",
      ["cause"],
    );
    this.#cacheServed = metrics.counter("xds_cache_served_total", "Streams that were served from the cache.");
    this.#latency = metrics.histogram(
      "xds_ack_latency_seconds",
      "From a response to Envoy's acknowledgement.",
      latencyBuckets,
      type,
    );
    metrics.computedGauges(
      "xds_refused_resources",
      "Resources that Envoy refuses now, by type and by what it has of that name instead.",
      ["type", "serves"],
      () =>
        [...Map.groupBy(state().refused, ({ typeUrl, serves }) => `${typeUrl} ${serves}`).values()].map(
          (refused) => [
            { type: refused[0]?.typeUrl ?? "", serves: refused[0]?.serves ?? "" },
            refused.length,
          ],
        ),
    );
    metrics.computed(
      "xds_connected_seconds",
      "How long the discovery server has been connected; absent while it is not.",
      {},
      () => (state().kind === "connected" ? stateMs() / 1_000 : undefined),
    );
    metrics.computed(
      "xds_stale_age_seconds",
      "Age of the cached configuration that Envoy is served; absent while it is not.",
      {},
      () => {
        const { kind, asOf } = state();
        return kind === "stale" && asOf !== undefined ? fileAgeMs(asOf.getTime()) / 1_000 : undefined;
      },
    );
  }

  request(bytes: number): void {
    this.#requests.inc();
    this.#bytes.inc({ direction: "request" }, bytes);
  }

  response(typeUrl: string, bytes: number): void {
    this.#responses.inc();
    this.#pushes.inc({ type: typeUrl });
    this.#bytes.inc({ direction: "response" }, bytes);
  }

  typeEvent(typeUrl: string, event: TypeEvent): void {
    if (event.kind === "nacked") this.#nacks.inc({ type: typeUrl });
    else if (event.kind === "acked") this.#latency.observe(event.latencyMs / 1_000, { type: typeUrl });
  }

  servedFromCache(): void {
    this.#cacheServed.inc();
  }

  failed(cause: StreamFailure["kind"]): void {
    this.#failures.inc();
    this.ended(cause);
  }

  upstreamEnded(type: Termination): void {
    this.#upstreamEnds.inc({ type });
    this.ended(type);
  }

  envoyEnded(type: "cancelled" | "superseded"): void {
    this.#envoyEnds.inc({ type });
  }

  ended(cause: EndCause): void {
    this.#reconnects.inc({ cause });
  }
}
