/**
 * Envoy's ADS stream, passed on to the discovery server and back.
 *
 * Each stream of Envoy has an upstream connection of its own, and the end of one side ends the other: Envoy then
 * begins its whole sequence again, with its own back-off, so nothing can be lost in between.
 */
import { readFileSync } from "node:fs";
import { type ByteStream, GrpcChannel } from "../grpc/channel.ts";
import { GrpcError } from "../grpc/grpc-error.ts";
import { type CallContext, GrpcServer } from "../grpc/server.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { type ReadonlyWatch, Watch } from "../lifecycle/watch.ts";
import type { Logger } from "../telemetry/log.ts";
import type { CounterMetric, Metrics } from "../telemetry/metrics.ts";
import { explainFailure, RootUnreadableError, terminationOf } from "./failure.ts";
import type { UpstreamOptions } from "./options.ts";
import { type AdsProtocol, delta, stateOfTheWorld } from "./protocol.ts";
import { type Relay, relay } from "./relay.ts";
import { withAnswer, type XdsState } from "./state.ts";

/** The socket and where it leads. */
export interface XdsProxyOptions {
  readonly path: string;
  readonly mode: number;
  readonly upstream: UpstreamOptions;
}

/** What the proxy needs and where it reports. */
export interface XdsProxyDependencies {
  /** The token of the moment; undefined sends none. */
  readonly token: () => string | undefined;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** The proxy; bound when `listen` resolves. */
export class XdsProxy implements AsyncDisposable {
  readonly #upstream: UpstreamOptions;
  readonly #token: () => string | undefined;
  readonly #log: Logger;
  readonly #state: Watch<XdsState>;
  readonly #connectionFailures: CounterMetric;
  readonly #upstreamEnds: CounterMetric;
  readonly #envoyEnds: CounterMetric;
  readonly #requests: CounterMetric;
  readonly #responses: CounterMetric;
  #server: GrpcServer | undefined;
  #active: AbortController | undefined;

  private constructor({ upstream }: XdsProxyOptions, { token, log, metrics }: XdsProxyDependencies) {
    this.#upstream = upstream;
    this.#token = token;
    this.#log = log;
    this.#state = new Watch<XdsState>({ kind: "idle", address: upstream.address, types: {} });
    this.#connectionFailures = metrics.counter(
      "istiod_connection_failures",
      "Connections to the discovery server that failed.",
    );
    this.#upstreamEnds = metrics.counter(
      "istiod_connection_terminations",
      "Streams that the discovery server ended.",
      ["type"],
    );
    this.#envoyEnds = metrics.counter("envoy_connection_terminations", "Streams that Envoy ended.", ["type"]);
    this.#requests = metrics.counter("xds_proxy_requests", "Requests passed on to the discovery server.");
    this.#responses = metrics.counter("xds_proxy_responses", "Responses passed on to Envoy.");
  }

  /** @throws Error that names the socket when it cannot be bound */
  static async listen(options: XdsProxyOptions, deps: XdsProxyDependencies): Promise<XdsProxy> {
    const proxy = new XdsProxy(options, deps);
    const serve =
      (protocol: AdsProtocol) =>
      (stream: ByteStream, context: CallContext): Promise<void> =>
        proxy.#serve(protocol, stream, context.signal);
    proxy.#server = await GrpcServer.listen(options, [
      {
        name: "envoy.service.discovery.v3.AggregatedDiscoveryService",
        streams: {
          DeltaAggregatedResources: serve(delta),
          StreamAggregatedResources: serve(stateOfTheWorld),
        },
      },
    ]);
    return proxy;
  }

  get state(): ReadonlyWatch<XdsState> {
    return this.#state;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#active?.abort();
    await this.#server?.[Symbol.asyncDispose]();
  }

  async #serve(protocol: AdsProtocol, downstream: ByteStream, gone: AbortSignal): Promise<void> {
    if (this.#active !== undefined) {
      this.#log.info("a newer stream of Envoy takes over");
      this.#active.abort();
    }
    const active = new AbortController();
    this.#active = active;
    const ended = AbortSignal.any([gone, active.signal]);
    try {
      await this.#relay(protocol, downstream, ended);
      this.#noteEnd(undefined, ended);
    } catch (error) {
      const failure = GrpcError.from(error, this.#upstream.address);
      this.#noteEnd(failure, ended);
      throw failure;
    } finally {
      if (this.#active === active) this.#active = undefined;
    }
  }

  async #relay(protocol: AdsProtocol, downstream: ByteStream, ended: AbortSignal): Promise<void> {
    this.#state.set({ kind: "connecting", address: this.#upstream.address, types: {}, ...this.#problem() });
    using channel = new GrpcChannel({ address: this.#upstream.address, tls: this.#tls() });
    const upstream = channel.stream(protocol.method, this.#metadata());
    const cancel = (): void => {
      upstream.cancel();
    };
    ended.addEventListener("abort", cancel, { once: true });
    try {
      await relay(downstream, upstream, this.#observe(protocol));
    } finally {
      ended.removeEventListener("abort", cancel);
    }
  }

  #observe(protocol: AdsProtocol): Relay {
    return {
      onRequest: (message) => {
        this.#requests.inc();
        const { typeUrl, nonce, error } = protocol.readRequest(message);
        if (nonce === "") return;
        if (error !== undefined)
          this.#log.warn("Envoy refused configuration", { type: typeUrl, reason: error });
        const current = this.#state.current;
        this.#state.set({ ...current, types: withAnswer(current.types, typeUrl, error) });
      },
      acceptResponse: (message) => {
        this.#responses.inc();
        this.#noteConnected();
        const typeUrl = protocol.readTypeUrl(message);
        if (typeUrl.startsWith("type.googleapis.com/envoy.")) return true;
        this.#log.debug("response of a type that Envoy does not know", { type: typeUrl });
        return false;
      },
    };
  }

  #noteConnected(): void {
    const { kind, address, types } = this.#state.current;
    if (kind === "connected") return;
    this.#log.info("connected to the discovery server", { address });
    this.#state.set({ kind: "connected", address, types });
  }

  #noteEnd(error: GrpcError | undefined, ended: AbortSignal): void {
    const { address, types, kind, problem: previous } = this.#state.current;
    if (ended.aborted) {
      this.#envoyEnds.inc({ type: "cancelled" });
      this.#state.set({ kind: "idle", address, types });
      return;
    }
    const wasConnected = kind === "connected";
    const termination = terminationOf(error);
    if (wasConnected) this.#upstreamEnds.inc({ type: termination });
    else this.#connectionFailures.inc();
    const problem =
      error === undefined
        ? `the discovery server ${address} ended the stream`
        : explainFailure(error, this.#upstream);
    if (wasConnected && termination === "cancelled") {
      this.#log.info("disconnected from the discovery server", {
        address,
        reason: error?.details ?? "end of stream",
      });
    } else if (problem !== previous) {
      this.#log.warn("no connection to the discovery server", { address, reason: problem });
    }
    this.#state.set({ kind: "disconnected", address, types, problem });
  }

  /** Kept while a new attempt runs, so that one cause is one line in the log. */
  #problem(): { problem?: string } {
    const { problem } = this.#state.current;
    return problem === undefined ? {} : { problem };
  }

  #tls(): ConstructorParameters<typeof GrpcChannel>[0]["tls"] {
    const { tls } = this.#upstream;
    if (tls === undefined) return undefined;
    const { serverName, rootCertificatePath } = tls;
    if (rootCertificatePath === "SYSTEM") return { rootCertificates: undefined, serverName };
    try {
      return { rootCertificates: readFileSync(rootCertificatePath), serverName };
    } catch (error) {
      throw new RootUnreadableError(rootCertificatePath, errorMessage(error));
    }
  }

  #metadata(): Readonly<Record<string, string>> {
    const token = this.#token();
    const { clusterId, headers } = this.#upstream;
    return {
      ...headers,
      ...(clusterId === undefined ? {} : { clusterid: clusterId }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
  }
}
