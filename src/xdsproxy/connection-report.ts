/**
 * What the outside learns of the proxy: state, log lines and counters.
 *
 * One line per change: a failed connection is warned about once per cause and then only counted, and the normal
 * reconnects of a control plane's rollout are no problem at all.
 */
import type { GrpcError } from "../grpc/grpc-error.ts";
import { type ReadonlyWatch, Watch } from "../lifecycle/watch.ts";
import type { Logger } from "../telemetry/log.ts";
import type { CounterMetric, Metrics } from "../telemetry/metrics.ts";
import { type StreamFailure, terminationOf } from "./failure.ts";
import { type TypeEvent, withTypeEvent, type XdsState } from "./state.ts";

/** Reports on one discovery server. */
export class ConnectionReport {
  readonly #log: Logger;
  readonly #state: Watch<XdsState>;
  readonly #failures: CounterMetric;
  readonly #upstreamEnds: CounterMetric;
  readonly #envoyEnds: CounterMetric;
  readonly #requests: CounterMetric;
  readonly #responses: CounterMetric;
  /** The cause that was last warned about, until there is a connection. */
  #warnedOf: StreamFailure["kind"] | undefined;

  constructor(address: string, log: Logger, metrics: Metrics) {
    this.#log = log;
    this.#state = new Watch<XdsState>({ kind: "idle", address, since: new Date(), types: {} });
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
  }

  get state(): ReadonlyWatch<XdsState> {
    return this.#state;
  }

  /** Envoy has opened a stream. */
  opening(): void {
    if (this.#state.current.problem === undefined) this.#become("connecting");
  }

  request(): void {
    this.#requests.inc();
  }

  /** The first response on a stream is the proof of a connection. */
  response(): void {
    this.#responses.inc();
    const { kind, address } = this.#state.current;
    if (kind === "connected") return;
    this.#log.info("connected to the discovery server", { address });
    this.#warnedOf = undefined;
    this.#become("connected");
  }

  /** A response was not forwarded. */
  dropped(typeUrl: string): void {
    this.#log.debug("response of a type that Envoy does not know is left out", { type: typeUrl });
  }

  typeEvent(typeUrl: string, event: TypeEvent): void {
    if (event.kind === "nacked") {
      this.#log.warn("Envoy refused configuration", { type: typeUrl, reason: event.error });
    }
    this.#state.set(withTypeEvent(this.#state.current, typeUrl, event));
  }

  /** Envoy has closed its stream, or is gone. `isNewest` is false when a newer one is open beside it. */
  envoyLeft(isNewest: boolean): void {
    this.#envoyEnds.inc({ type: isNewest ? "cancelled" : "superseded" });
    this.#log.debug("Envoy closed its stream");
    if (isNewest && this.#state.current.problem === undefined) this.#become("idle");
  }

  /** The discovery server ended a stream on which it had answered. */
  upstreamEnded(error: GrpcError | undefined, failure: StreamFailure | undefined): void {
    const type = terminationOf(error);
    this.#upstreamEnds.inc({ type });
    const fields = { address: this.#state.current.address, reason: error?.details ?? "end of stream" };
    if (type !== "error") {
      this.#log.info("disconnected from the discovery server", fields);
      this.#become("disconnected");
      return;
    }
    this.#log.warn("disconnected from the discovery server", fields);
    this.#become("disconnected", failure?.message);
  }

  /** No connection came about. */
  connectionFailed(failure: StreamFailure): void {
    this.#failures.inc();
    const fields = { address: this.#state.current.address, reason: failure.message };
    if (failure.kind === this.#warnedOf)
      this.#log.debug("still no connection to the discovery server", fields);
    else this.#log.warn("no connection to the discovery server", fields);
    this.#warnedOf = failure.kind;
    this.#become("disconnected", failure.message);
  }

  #become(kind: XdsState["kind"], problem?: string): void {
    const { address, types, kind: previous, since } = this.#state.current;
    this.#state.set({
      kind,
      address,
      types,
      since: kind === previous ? since : new Date(),
      ...(problem === undefined ? {} : { problem }),
    });
  }
}
