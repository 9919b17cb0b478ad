/**
 * What the outside learns of the proxy: state, log lines and metrics.
 *
 * One line per change: a failed connection is warned about once per cause and then only counted, and the normal
 * reconnects of a control plane's rollout are no problem at all.
 */
import type { GrpcError } from "../../grpc/grpc-error.ts";
import { type ReadonlyWatch, Watch } from "../../lifecycle/watch.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import { type StreamFailure, terminationOf } from "../upstream/failure.ts";
import { type TypeEvent, type TypeState, typeStateAfter, type XdsState } from "./state.ts";
import type { Refusal, RefusalEnd } from "./refusal.ts";
import { XdsMetrics } from "./xds-metrics.ts";

/** Names in a log line of a refusal. */
const namesInLog = 5;

/** Reports on one discovery server. */
export class ConnectionReport {
  readonly #log: Logger;
  readonly #state: Watch<XdsState>;
  readonly #metrics: XdsMetrics;
  /** The cause that was last warned about, until there is a connection. */
  #warnedOf: StreamFailure["kind"] | undefined;
  #unreachableSince: number | undefined;
  /** What has passed of each type; the state has it a turn of the event loop later. */
  readonly #types = new Map<string, TypeState>();
  #isStateDue = false;

  constructor(address: string, log: Logger, metrics: Metrics) {
    this.#log = log;
    this.#state = new Watch<XdsState>({
      ...{ kind: "idle", address, sinceMs: performance.now() },
      ...{ types: {}, refused: [] },
    });
    this.#metrics = new XdsMetrics(metrics, () => this.#state.current);
  }

  get state(): ReadonlyWatch<XdsState> {
    return this.#state;
  }

  /** Since when no connection comes about, on the monotonic clock; undefined when the last one did. */
  get unreachableSince(): number | undefined {
    return this.#unreachableSince;
  }

  /** Envoy has opened a stream. */
  opening(): void {
    const { kind, problem } = this.#state.current;
    if (problem === undefined && kind !== "stale") this.#become("connecting");
  }

  request(bytes: number): void {
    this.#metrics.request(bytes);
  }

  /** The first response on a stream is the proof of a connection. */
  response(typeUrl: string, bytes: number): void {
    this.#metrics.response(typeUrl, bytes);
    this.#unreachableSince = undefined;
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

  /** Envoy does not take a response, and so none that follows it. */
  slowDelivery(typeUrl: string, afterMs: number): void {
    this.#log.warn("Envoy does not take a response", { type: typeUrl, afterMs });
  }

  /** The agent refused a response. */
  agentRefused(typeUrl: string, reason: string): void {
    this.#log.warn("the agent refused configuration", { type: typeUrl, reason });
  }

  typeEvent(typeUrl: string, event: TypeEvent): void {
    this.#metrics.typeEvent(typeUrl, event);
    this.#types.set(typeUrl, typeStateAfter(this.#types.get(typeUrl), event));
    if (this.#isStateDue) return;
    this.#isStateDue = true;
    setImmediate(() => {
      this.#isStateDue = false;
      this.#state.set({ ...this.#state.current, types: Object.fromEntries(this.#types) });
    });
  }

  /** Envoy has refused these, of one response. */
  envoyRefuses(refusals: readonly Refusal[]): void {
    const [first] = refusals;
    if (first === undefined) return;
    const serves = refusals.filter((refusal) => refusal.serves === "last accepted");
    this.#log.warn("Envoy refused configuration", {
      type: first.typeUrl,
      resource: namesOf(refusals),
      reason: first.reason,
      lastAcceptedServes: namesOf(serves),
    });
  }

  /** What Envoy refused is a matter no more. */
  refusalsEnd(refusals: readonly Refusal[], why: RefusalEnd): void {
    for (const [type, gone] of Map.groupBy(refusals, ({ typeUrl }) => typeUrl)) {
      this.#log.info("Envoy refuses configuration no more", { type, resource: namesOf(gone), why });
    }
  }

  /** What Envoy refuses now. */
  refused(refused: readonly Refusal[]): void {
    this.#state.set({ ...this.#state.current, refused });
  }

  /** Envoy is served from the cache from now on. */
  servedFromCache(asOf: Date): void {
    this.#metrics.servedFromCache();
    const { kind, problem, failure, address } = this.#state.current;
    if (kind === "stale") return;
    this.#log.warn("the discovery server does not answer: Envoy is served from the cache", {
      address,
      asOf: asOf.toISOString(),
      reason: problem,
    });
    this.#become("stale", { problem, failure }, asOf);
  }

  /** A stream is ended by the agent, so that Envoy subscribes anew. */
  resubscribing(cause: "back" | "root-changed" | "watchdog", fields: Readonly<Record<string, string>>): void {
    this.#metrics.ended(cause);
    const { address } = this.#state.current;
    if (cause === "watchdog")
      this.#log.warn("the discovery server does not answer: connecting anew", { address, ...fields });
    else if (cause === "back")
      this.#log.info("the discovery server is back: its configuration takes over", { address });
    else this.#log.info("the root of the discovery server has changed: connecting anew", { address });
  }

  /**
   * Envoy has closed its stream, or is gone.
   *
   * @param isNewest false when a newer one is open beside it
   * @param isLast false when any other is: a newcomer has failed, and the one before it goes on
   */
  envoyLeft(isNewest: boolean, isLast: boolean): void {
    this.#metrics.envoyEnded(isNewest ? "cancelled" : "superseded");
    this.#log.debug("Envoy closed its stream");
    const { problem, failure, kind } = this.#state.current;
    if (isLast && (problem === undefined || kind === "stale")) this.#become("idle", { problem, failure });
  }

  /** The discovery server ended a stream on which it had answered. */
  upstreamEnded(error: GrpcError | undefined, failure: StreamFailure | undefined): void {
    const type = terminationOf(error);
    this.#metrics.upstreamEnded(type);
    const fields = { address: this.#state.current.address, reason: error?.details ?? "end of stream" };
    if (type !== "error") {
      this.#log.info("disconnected from the discovery server", fields);
      this.#become("disconnected");
      return;
    }
    this.#log.warn("disconnected from the discovery server", fields);
    this.#become("disconnected", { problem: failure?.message, failure: failure?.kind });
  }

  /** No connection came about. */
  connectionFailed(failure: StreamFailure): void {
    this.#metrics.failed(failure.kind);
    this.#unreachableSince ??= performance.now();
    const { address, kind, asOf } = this.#state.current;
    const fields = { address, reason: failure.message };
    if (failure.kind === this.#warnedOf)
      this.#log.debug("still no connection to the discovery server", fields);
    else this.#log.warn("no connection to the discovery server", fields);
    this.#warnedOf = failure.kind;
    this.#become(
      kind === "stale" ? "stale" : "disconnected",
      { problem: failure.message, failure: failure.kind },
      asOf,
    );
  }

  #become(
    kind: XdsState["kind"],
    { problem, failure }: { readonly [name in "problem" | "failure"]?: XdsState[name] | undefined } = {},
    asOf?: Date,
  ): void {
    const { address, types, refused, kind: previous, sinceMs } = this.#state.current;
    this.#state.set({
      ...{ kind, address, types, refused },
      sinceMs: kind === previous ? sinceMs : performance.now(),
      ...(problem === undefined ? {} : { problem }),
      ...(failure === undefined ? {} : { failure }),
      ...(asOf === undefined ? {} : { asOf }),
    });
  }
}

function namesOf(refusals: readonly Refusal[]): string {
  const more = refusals.length > namesInLog ? ` and ${refusals.length - namesInLog} more` : "";
  const names = refusals.map(({ name }) => (name === "" ? "unknown" : name));
  return names.slice(0, namesInLog).join(", ") + more;
}
