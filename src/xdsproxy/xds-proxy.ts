/**
 * Envoy's ADS stream, passed on to the discovery server and back.
 *
 * Each stream of Envoy has an upstream connection of its own, and the end of one side ends the other: Envoy then
 * begins its whole sequence again, with its own back-off, so nothing can be lost in between. Two Envoys are served
 * side by side while one takes over from the other.
 */
import type { ByteStream } from "../grpc/channel.ts";
import { GrpcError } from "../grpc/grpc-error.ts";
import { type CallContext, GrpcServer } from "../grpc/server.ts";
import { RootFileError, type ServerDescription } from "../grpc/server-trust.ts";
import { TaskGroup } from "../lifecycle/task-group.ts";
import type { ReadonlyWatch } from "../lifecycle/watch.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { ConnectionReport } from "./connection-report.ts";
import { explainFailure, type StreamFailure } from "./failure.ts";
import { HeldListeners } from "./held-listeners.ts";
import type { UpstreamOptions } from "./options.ts";
import { type AdsProtocol, delta, stateOfTheWorld } from "./protocol.ts";
import { forwardRequests, forwardResponses } from "./relay.ts";
import type { XdsState } from "./state.ts";
import { StreamObserver } from "./stream-observer.ts";
import { adsService, describeDiscoveryServer, openUpstream } from "./upstream.ts";

/** The socket and where it leads. */
export interface XdsProxyOptions {
  /** Path of the Unix socket. */
  readonly path: string;
  /** Mode of the socket. */
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

const listenerType = "type.googleapis.com/envoy.config.listener.v3.Listener";

/** How long a server that took the stream may stay silent before another connection is tried, in milliseconds. */
const firstResponseTimeoutMs = 60_000;

/** The proxy; bound when `listen` resolves. */
export class XdsProxy implements AsyncDisposable {
  readonly #upstream: UpstreamOptions;
  readonly #server: ServerDescription;
  readonly #token: () => string | undefined;
  readonly #report: ConnectionReport;
  readonly #tasks = new TaskGroup();
  #listener: GrpcServer | undefined;
  /** Ends every stream. */
  readonly #closing = new AbortController();
  /** The newest stream: what becomes of an older one does not change the state. */
  #newest = 0;
  #streams = 0;
  #hold: HeldListeners | undefined;

  private constructor({ upstream }: XdsProxyOptions, { token, log, metrics }: XdsProxyDependencies) {
    this.#upstream = upstream;
    this.#server = describeDiscoveryServer(upstream);
    this.#token = token;
    this.#report = new ConnectionReport(upstream.address, log, metrics);
  }

  /** @throws SocketPathError when there can be no socket at the path */
  static async listen(options: XdsProxyOptions, deps: XdsProxyDependencies): Promise<XdsProxy> {
    const proxy = new XdsProxy(options, deps);
    const serve = (protocol: AdsProtocol) => (envoy: ByteStream, context: CallContext) =>
      proxy.#serve(protocol, envoy, context.signal);
    proxy.#listener = await GrpcServer.listen(options, [
      {
        name: adsService,
        streams: { [delta.method]: serve(delta), [stateOfTheWorld.method]: serve(stateOfTheWorld) },
      },
    ]);
    return proxy;
  }

  get state(): ReadonlyWatch<XdsState> {
    return this.#report.state;
  }

  /** Keep listeners back from the streams that Envoys open from now on, until it is released. */
  holdListeners(): HeldListeners {
    const hold = new HeldListeners(() => {
      if (this.#hold === hold) this.#hold = undefined;
    });
    this.#hold = hold;
    return hold;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#hold?.release();
    await this.#listener?.[Symbol.asyncDispose]();
    await this.#tasks[Symbol.asyncDispose]();
  }

  /** Serve one stream of Envoy to its end. */
  async #serve(protocol: AdsProtocol, envoy: ByteStream, gone: AbortSignal): Promise<void> {
    this.#streams += 1;
    const number = this.#streams;
    this.#newest = number;
    const hold = this.#hold;
    this.#report.opening();
    const ended = AbortSignal.any([gone, this.#closing.signal]);
    const end = await this.#connect(protocol, envoy, number, hold, ended);
    const isNewest = this.#newest === number;
    if (ended.aborted) this.#report.envoyLeft(isNewest);
    else this.#reportEnd(end, isNewest);
  }

  /** Connect both sides until one ends. */
  async #connect(
    protocol: AdsProtocol,
    envoy: ByteStream,
    number: number,
    hold: HeldListeners | undefined,
    ended: AbortSignal,
  ): Promise<StreamEnd> {
    const token = this.#token();
    const sentToken = token !== undefined;
    const observer = new StreamObserver(protocol, this.#report);
    let isSilent = false;
    try {
      using upstream = openUpstream(this.#upstream, protocol.method, token);
      const cancel = (): void => {
        upstream.stream.cancel();
      };
      const silence = setTimeout(() => {
        isSilent = true;
        cancel();
      }, firstResponseTimeoutMs);
      ended.addEventListener("abort", cancel, { once: true });
      if (ended.aborted) cancel();
      try {
        this.#tasks.spawn(`requests-of-stream-${number}`, () =>
          forwardRequests(envoy, upstream.stream, (message) => {
            observer.request(message);
          }),
        );
        await forwardResponses(upstream.stream, envoy, async (message) => {
          clearTimeout(silence);
          const typeUrl = observer.response(message);
          if (typeUrl === listenerType) await hold?.released(ended);
          return typeUrl !== undefined;
        });
        return { hasAnswered: observer.hasAnswered, sentToken };
      } finally {
        clearTimeout(silence);
        ended.removeEventListener("abort", cancel);
      }
    } catch (error) {
      return { hasAnswered: observer.hasAnswered, sentToken, error, isSilent };
    }
  }

  /** @throws GrpcError that tells Envoy, unless the stream ended well */
  #reportEnd(end: StreamEnd, isNewest: boolean): void {
    if (!isNewest) {
      if (end.error !== undefined) throw GrpcError.from(end.error);
      return;
    }
    if (end.error === undefined) {
      if (end.hasAnswered) this.#report.upstreamEnded(undefined, undefined);
      else this.#report.connectionFailed(this.#silence("ended the stream without an answer"));
      return;
    }
    const error = GrpcError.from(end.error);
    const failure = this.#explain(end, error);
    if (end.hasAnswered) this.#report.upstreamEnded(error, failure);
    else this.#report.connectionFailed(failure);
    throw new GrpcError(
      end.isSilent === true || end.error instanceof RootFileError ? "UNAVAILABLE" : error.code,
      failure.message,
    );
  }

  #explain(end: StreamEnd, error: GrpcError): StreamFailure {
    if (end.error instanceof RootFileError) return { kind: "root-missing", message: end.error.message };
    if (end.isSilent === true)
      return this.#silence(`gave no answer within ${firstResponseTimeoutMs / 1_000} s`);
    return explainFailure(error, this.#server, end.sentToken);
  }

  #silence(what: string): StreamFailure {
    const { name, address } = this.#server;
    return {
      kind: "silent",
      message: `${name} ${address} ${what}. Check that discoveryAddress in ProxyConfig is a discovery server`,
    };
  }
}

/** How a stream to the discovery server ended. */
interface StreamEnd {
  /** A response had come, so there was a connection. */
  readonly hasAnswered: boolean;
  readonly sentToken: boolean;
  readonly error?: unknown;
  readonly isSilent?: boolean;
}
