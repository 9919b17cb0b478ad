/**
 * Envoy's ADS stream, passed on to the discovery server and back.
 *
 * Each stream of Envoy has an upstream connection of its own, and the end of one side ends the other: Envoy then
 * begins its whole sequence again, with its own back-off, so nothing can be lost in between. Two Envoys are served
 * side by side while one takes over from the other.
 */
import type { ByteStream } from "../grpc/channel.ts";
import { GrpcError } from "../grpc/grpc-error.ts";
import type { CallContext } from "../grpc/server.ts";
import { StreamServer } from "../grpc/stream-server.ts";
import { readServerTrust, type ServerDescription } from "../grpc/server-trust.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { followChanges } from "../files/file-changes.ts";
import { MemoryRelease } from "../process/memory-release.ts";
import { TaskGroup } from "../lifecycle/task-group.ts";
import { type ReadonlyWatch, Watch } from "../lifecycle/watch.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { SpanSink } from "../telemetry/spans.ts";
import { AcceptedResources } from "./cache/accepted-resources.ts";
import { HandlerTable } from "./handlers/handler-table.ts";
import type { ResourceHandlers } from "./handlers/resource-handler.ts";
import { ConnectionReport } from "./report/connection-report.ts";
import { isDebugRequest, serveDebugStream } from "./stream/debug-stream.ts";
import { DialPace } from "./stream/dial-pace.ts";
import { EnvoyStream, type EnvoyStreamDependencies } from "./stream/envoy-stream.ts";
import { firstRequestOf } from "./downstream/first-request.ts";
import type { HealthReport } from "./stream/health-report.ts";
import { HeldListeners } from "./downstream/held-listeners.ts";
import type { UpstreamOptions } from "./upstream/options.ts";
import { type AdsProtocol, delta, stateOfTheWorld } from "../xds/protocol.ts";
import { type Exchange, Recorder } from "./report/recorder.ts";
import { RefusalFile } from "./refusals/refusal-file.ts";
import { Refusals } from "./refusals/refusals.ts";
import type { Refusal } from "./report/refusal.ts";
import type { XdsState } from "./report/state.ts";
import { failureOf, type StreamEnd, statusFor } from "./upstream/stream-end.ts";
import { StreamObserver } from "./downstream/stream-observer.ts";
import { adsService, describeDiscoveryServer } from "./upstream/upstream.ts";
import { XdsCache, type XdsCacheOptions } from "./cache/xds-cache.ts";

/** The socket and where it leads. */
export interface XdsProxyOptions {
  /** Path of the Unix socket. */
  readonly path: string;
  /** Mode of the socket. */
  readonly mode: number;
  readonly upstream: UpstreamOptions;
  /** Undefined keeps nothing. */
  readonly cache: (XdsCacheOptions & CacheUse) | undefined;
  readonly limits?: XdsLimits;
}

/** When the cache is used. */
export interface CacheUse {
  /** How long the discovery server may be gone before an Envoy without configuration gets it, in milliseconds. */
  readonly useAfterMs: number;
}

/** How long things may take, in milliseconds. */
export interface XdsLimits {
  /** From a request to its answer; then another connection is tried. */
  readonly answerWithinMs: number;
  /** Between two looks at the root's file. */
  readonly rootCheckMs: number;
  /** Over one response, until it is said that Envoy does not take it. */
  readonly slowAfterMs: number;
}

/** What the proxy needs and where it reports. */
export interface XdsProxyDependencies {
  /** The token of the moment; undefined sends none. */
  readonly token: () => string | undefined;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Gets spans; undefined where nobody traces them. */
  readonly spans?: SpanSink | undefined;
  /** What the agent itself does with resources. */
  readonly handlers: ResourceHandlers;
  /** How often a file was replaced that authenticates either side. */
  readonly credentialChanges?: ReadonlyWatch<number>;
}

const defaultLimits: XdsLimits = { answerWithinMs: 60_000, rootCheckMs: 5_000, slowAfterMs: 10_000 };

/** The proxy; bound when `listen` resolves. */
export class XdsProxy implements AsyncDisposable {
  readonly #options: XdsProxyOptions;
  readonly #limits: XdsLimits;
  readonly #server: ServerDescription;
  readonly #token: () => string | undefined;
  readonly #handlers: HandlerTable;
  readonly #report: ConnectionReport;
  readonly #recorder = new Recorder();
  readonly #cache: XdsCache | undefined;
  readonly #accepted: AcceptedResources;
  readonly #refusals: Refusals;
  readonly #refusalFile: RefusalFile | undefined;
  readonly #log: Logger;
  readonly #tasks = new TaskGroup();
  readonly #silentTypes = new Set<string>();
  readonly #health = new Watch<HealthReport | undefined>(undefined);
  readonly #memory = new MemoryRelease();
  readonly #pace = new DialPace();
  readonly #spans: SpanSink | undefined;
  readonly #credentialChanges: ReadonlyWatch<number> | undefined;
  #listener: StreamServer | undefined;
  /** Ends every stream. */
  readonly #closing = new AbortController();
  #rootChanged = new AbortController();
  /** Streams in order of their opening: what becomes of an older one does not change the state. */
  readonly #open: number[] = [];
  #streams = 0;
  #hold: HeldListeners | undefined;

  private constructor(
    options: XdsProxyOptions,
    { token, log, metrics, handlers, credentialChanges, spans }: XdsProxyDependencies,
  ) {
    this.#credentialChanges = credentialChanges;
    this.#spans = spans;
    this.#options = options;
    this.#limits = options.limits ?? defaultLimits;
    this.#server = describeDiscoveryServer(options.upstream);
    this.#token = token;
    this.#handlers = new HandlerTable(handlers);
    this.#report = new ConnectionReport(options.upstream.address, log, metrics);
    if (options.cache !== undefined) {
      this.#cache = new XdsCache(options.cache, {
        ...{ log, metrics, memory: this.#memory },
        holdsSecret: (type, resource) => this.#handlers.holdsSecret(type, resource),
      });
      this.#refusalFile = new RefusalFile(options.cache.folder, options.cache.owner);
    }
    this.#accepted = new AcceptedResources(this.#cache);
    this.#log = log;
    this.#refusals = new Refusals({
      refused: (refusals) => {
        this.#report.envoyRefuses(refusals);
        this.#refusalsChanged();
      },
      gone: (refusals, why) => {
        this.#report.refusalsEnd(refusals, why);
        this.#refusalsChanged();
      },
    });
  }

  /** @throws SocketPathError when there can be no socket at the path */
  static async listen(options: XdsProxyOptions, deps: XdsProxyDependencies): Promise<XdsProxy> {
    const proxy = new XdsProxy(options, deps);
    proxy.#refusals.inherit(proxy.#refusalFile?.read() ?? []);
    proxy.#report.refused(proxy.#refusals.standing);
    const serve = (protocol: AdsProtocol) => (envoy: ByteStream, context: CallContext) =>
      proxy.#serve(protocol, envoy, context.signal);
    const services = [
      {
        name: adsService,
        streams: { [delta.method]: serve(delta), [stateOfTheWorld.method]: serve(stateOfTheWorld) },
      },
    ];
    proxy.#listener = await StreamServer.listen(options, services, {
      part: "the XDS socket",
      onFault: (reason) => {
        deps.log.error("a stream of the XDS socket failed", { reason });
      },
    });
    proxy.#start();
    return proxy;
  }

  get state(): ReadonlyWatch<XdsState> {
    return this.#report.state;
  }

  /** The last exchanges of each type, oldest first. */
  exchanges(): readonly Exchange[] {
    return this.#recorder.exchanges();
  }

  /** True when an Envoy could be served without the control plane. */
  hasCache(): boolean {
    return this.#cache?.isThere() === true;
  }

  /** Tell the control plane how the workload is: on every stream, and again on each that is opened. */
  reportHealth(health: HealthReport): void {
    this.#health.set(health);
  }

  /** What an Envoy that takes over could not be given, though another one has accepted it and serves it. */
  lostResources(): readonly Refusal[] {
    return this.#refusals.standing.filter(({ wasAccepted, isKept }) => wasAccepted && !isKept);
  }

  /** What a newcomer has refused and lacks, though another Envoy has accepted it; undefined while that is not known. */
  lackedBy({ streams }: HeldListeners): readonly Refusal[] | undefined {
    if (streams.some((stream) => this.#refusals.isUnsettled(stream))) return undefined;
    return streams
      .flatMap((stream) => this.#refusals.ofStream(stream))
      .filter(({ wasAccepted, serves }) => wasAccepted && serves === "nothing");
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
    this.#memory[Symbol.dispose]();
  }

  #refusalsChanged(): void {
    const { standing } = this.#refusals;
    this.#report.refused(standing);
    try {
      this.#refusalFile?.write(standing);
    } catch (error) {
      this.#log.debug("what Envoy refuses cannot be kept", { reason: errorMessage(error) });
    }
  }

  #start(): void {
    const cache = this.#cache;
    if (cache !== undefined) {
      const isCurrent = (): boolean => this.#report.state.current.kind === "connected";
      this.#tasks.spawn("write-cache", (signal) => cache.run(isCurrent, signal));
    }
    const changes = this.#credentialChanges;
    if (changes !== undefined) {
      this.#tasks.spawn("follow-credentials", async (signal) => {
        for await (const count of changes.changes(signal)) if (count > 0) this.#pace.reset();
      });
    }
    const path = this.#options.upstream.tls?.rootCertificatePath;
    if (path === undefined || path === "SYSTEM") return;
    this.#tasks.spawn("follow-root", async (signal) => {
      let root = this.#root();
      const onChange = (): void => {
        const current = this.#root();
        // A root that cannot be used now is no reason to end what was connected with one that could.
        if (current === undefined || current === root) return;
        root = current;
        const previous = this.#rootChanged;
        this.#rootChanged = new AbortController();
        previous.abort();
      };
      await followChanges(() => [path], onChange, signal, this.#limits.rootCheckMs);
    });
  }

  #root(): string | undefined {
    try {
      return readServerTrust(this.#server)?.rootCertificates?.toString("utf8");
    } catch {
      // The next connection says why.
      return undefined;
    }
  }

  /** Serve one stream to its end: Envoy's, or that of somebody who asks for the control plane's own state. */
  async #serve(protocol: AdsProtocol, client: ByteStream, gone: AbortSignal): Promise<void> {
    const ended = AbortSignal.any([gone, this.#closing.signal]);
    const hold = this.#hold;
    const opened = await firstRequestOf(client);
    if (opened === undefined) return;
    this.#streams += 1;
    const number = this.#streams;
    if (!isDebugRequest(protocol, opened.first)) {
      await this.#serveEnvoy({ protocol, envoy: opened.stream, number, hold }, ended);
      return;
    }
    const { upstream } = this.#options;
    await serveDebugStream(
      {
        ...{ protocol, client: opened.stream, number, upstream, server: this.#server, tasks: this.#tasks },
        token: this.#token(),
      },
      ended,
    );
  }

  async #serveEnvoy(
    opened: Pick<EnvoyStreamDependencies, "protocol" | "envoy" | "number" | "hold">,
    ended: AbortSignal,
  ): Promise<void> {
    const { protocol, number, hold } = opened;
    this.#open.push(number);
    hold?.streams.push(number);
    this.#report.opening();
    const isNewest = (): boolean => this.#open.at(-1) === number;
    const report = this.#report;
    const observer = new StreamObserver(protocol, number, {
      report,
      recorder: this.#recorder,
      accepted: this.#accepted,
      silentTypes: this.#silentTypes,
      spans: this.#spans,
    });
    const stream = new EnvoyStream(
      {
        ...{ ...opened, observer, report, isNewest },
        upstream: this.#options.upstream,
        server: this.#server,
        token: this.#token,
        handlers: this.#handlers,
        health: this.#health,
        ...{ cache: this.#cache, accepted: this.#accepted, refusals: this.#refusals, log: this.#log },
        cacheAfterMs: this.#options.cache?.useAfterMs ?? 0,
        pace: this.#pace,
        rootChanged: () => this.#rootChanged.signal,
        answerWithinMs: this.#limits.answerWithinMs,
        slowAfterMs: this.#limits.slowAfterMs,
        tasks: this.#tasks,
        memory: this.#memory,
      },
      ended,
    );
    this.#refusals.opened(number);
    let end: StreamEnd;
    let wasNewest: boolean;
    try {
      end = await stream.run();
    } finally {
      this.#refusals.closed(number);
      wasNewest = isNewest();
      this.#open.splice(this.#open.indexOf(number), 1);
    }
    if (ended.aborted) report.envoyLeft(wasNewest, this.#open.length === 0);
    else this.#reportEnd(end, wasNewest);
  }

  /** @throws GrpcError that tells Envoy, unless the stream ended well */
  #reportEnd(end: StreamEnd, isNewest: boolean): void {
    const failure = failureOf(end, this.#server, this.#limits.answerWithinMs);
    if (isNewest) {
      if (!end.hasAnswered && failure !== undefined) this.#report.connectionFailed(failure);
      else if (end.cause !== undefined)
        this.#report.resubscribing(end.cause, end.overdue === undefined ? {} : { type: end.overdue });
      else
        this.#report.upstreamEnded(end.error === undefined ? undefined : GrpcError.from(end.error), failure);
    }
    const status = statusFor(end, failure);
    if (status !== undefined) throw status;
  }
}
