/**
 * What the server of secrets counts. Those that begin with `pilot_` are pilot-agent's, whose server shares its code with
 * istiod's (Istio's `pkg/xds/monitoring.go`).
 */
import type { CounterMetric, HistogramMetric, Metrics } from "../telemetry/metrics.ts";

const labels = { type: "sds" };

/** Upper bounds in seconds. */
const sendBuckets = [0.01, 0.1, 1, 3, 5, 10, 20, 30];

/** Of one server. */
export class SdsMetrics {
  readonly #pushes: CounterMetric;
  readonly #rejections: CounterMetric;
  readonly #rejects: CounterMetric;
  readonly #expired: CounterMetric;
  readonly #sendTime: HistogramMetric;
  #largestRequest = 0;

  /** @param streams how many are open */
  constructor(metrics: Metrics, streams: () => number) {
    this.#pushes = metrics.counter("sds_pushes", "Secrets sent to Envoy.", ["resource_name"]);
    this.#rejections = metrics.counter("sds_rejections", "Responses with secrets that Envoy refused.");
    metrics.computed("sds_streams", "Open streams that ask for secrets.", {}, streams);
    const istio = metrics.withPrefix("istio_agent_pilot_");
    const ofType = (name: string, help: string): CounterMetric =>
      istio.counter(name, help, Object.keys(labels), [labels]);
    this.#rejects = ofType("total_xds_rejects", "Responses with secrets that Envoy refused.");
    this.#expired = ofType(
      "xds_expired_nonce",
      "Answers of Envoy to responses with secrets that newer ones had overtaken.",
    );
    istio.computed(
      "xds_recv_max",
      "Bytes of the largest request for secrets so far.",
      {},
      () => this.#largestRequest || undefined,
    );
    this.#sendTime = istio.histogram(
      "xds_send_time",
      "Seconds until Envoy has taken a response with secrets off the agent's hands.",
      sendBuckets,
    );
  }

  /** @param bytes its size */
  request(bytes: number): void {
    this.#largestRequest = Math.max(this.#largestRequest, bytes);
  }

  push(name: string): void {
    this.#pushes.inc({ resource_name: name });
  }

  /** A response was written, in so many milliseconds. */
  written(ms: number): void {
    this.#sendTime.observe(ms / 1_000);
  }

  reject(): void {
    this.#rejections.inc();
    this.#rejects.inc(labels);
  }

  /** Envoy has answered a response that is not the newest. */
  expired(): void {
    this.#expired.inc(labels);
  }
}
