/**
 * One ADS stream of Envoy, from its opening to its end.
 *
 * Responses wait for Envoy to take them. Requests never wait for the server: if both directions waited, a full
 * response path could keep the very acknowledgement from passing that would empty it.
 *
 * An Envoy that has no configuration yet is served from the cache when no connection comes about in time. The
 * connection is tried all the while; when the control plane answers, Envoy's stream is ended, and Envoy subscribes
 * anew with what it has: the control plane sends what changed and takes away what is gone.
 */
import type { ByteStream } from "../../grpc/channel.ts";
import type { ServerDescription } from "../../grpc/server-trust.ts";
import { type Backoff, backoffDelayMs } from "../../lifecycle/backoff.ts";
import type { MemoryRelease } from "../../process/memory-release.ts";
import { sleep } from "../../lifecycle/sleep.ts";
import type { TaskGroup } from "../../lifecycle/task-group.ts";
import type { ReadonlyWatch } from "../../lifecycle/watch.ts";
import type { Logger } from "../../telemetry/log.ts";
import { typeUrl } from "../../xds/type-urls.ts";
import type { AcceptedResources } from "../cache/accepted-resources.ts";
import { answerTo, type HandlerTable, takeIn } from "../handlers/handler-table.ts";
import { cacheWaitMs } from "../cache/cache-wait.ts";
import { CachedAnswers } from "../cache/cached-answers.ts";
import type { ConnectionReport } from "../report/connection-report.ts";
import { watchConnection } from "./connection-watch.ts";
import { Delivery } from "../downstream/delivery.ts";
import { RewriteQueue } from "../handlers/rewrite-queue.ts";
import { Fallback } from "../refusals/fallback.ts";
import { type HealthReport, healthRequest } from "./health-report.ts";
import type { HeldListeners } from "../downstream/held-listeners.ts";
import type { UpstreamOptions } from "../upstream/options.ts";
import { OwnResponses } from "../../xds/own-response.ts";
import type { AdsProtocol, ResponseFacts } from "../../xds/protocol.ts";
import type { ResponseSource } from "../report/recorder.ts";
import type { Refusals } from "../refusals/refusals.ts";
import { failureOf, type OwnCause, type StreamEnd } from "../upstream/stream-end.ts";
import type { StreamObserver } from "../downstream/stream-observer.ts";
import { openUpstream } from "../upstream/upstream.ts";
import type { XdsCache } from "../cache/xds-cache.ts";

/** What a stream is served with. */
export interface EnvoyStreamDependencies {
  readonly protocol: AdsProtocol;
  readonly envoy: ByteStream;
  /** Counts up; names the stream's task. */
  readonly number: number;
  readonly upstream: UpstreamOptions;
  readonly server: ServerDescription;
  readonly token: () => string | undefined;
  readonly observer: StreamObserver;
  readonly report: ConnectionReport;
  readonly handlers: HandlerTable;
  /** Undefined until there is something to tell. */
  readonly health: ReadonlyWatch<HealthReport | undefined>;
  readonly cache: XdsCache | undefined;
  readonly cacheAfterMs: number;
  readonly accepted: AcceptedResources;
  readonly refusals: Refusals;
  readonly hold: HeldListeners | undefined;
  /** Aborts when the root of the moment is replaced. */
  readonly rootChanged: () => AbortSignal;
  readonly isNewest: () => boolean;
  /** How long a request may go without an answer, in milliseconds. */
  readonly answerWithinMs: number;
  /** How long Envoy may take over a response before that is said, in milliseconds. */
  readonly slowAfterMs: number;
  readonly tasks: TaskGroup;
  readonly memory: MemoryRelease;
  readonly log: Logger;
}

/** Between two attempts to connect while Envoy is served from the cache. */
const redial: Backoff = { initialMs: 200, multiplier: 2, maxMs: 10_000, jitter: 0.25 };

/** The stream. */
export class EnvoyStream {
  readonly #deps: EnvoyStreamDependencies;
  readonly #ended: AbortSignal;
  /** Types whose resources may be rewritten. */
  readonly #rewrites: ReadonlyMap<string, RewriteQueue>;
  readonly #own: OwnResponses;
  readonly #fallback: Fallback;
  /** Everything that Envoy has asked, until there is somebody who answers; the first message names the node. */
  #unanswered: Buffer[] = [];
  #first: Buffer | undefined;
  #hasAnswered = false;
  #sink: ByteStream | undefined;
  #envoyIsDone = false;
  #agentHasAsked = false;
  /** What the connection of the moment was told. */
  #toldHealth: HealthReport | undefined;
  #cached: CachedAnswers | undefined;
  #cacheIsUseless = false;
  #isAnswering = false;
  readonly #delivery = new Delivery();

  /** @param ended aborts when Envoy is gone or the proxy closes */
  constructor(deps: EnvoyStreamDependencies, ended: AbortSignal) {
    this.#deps = deps;
    this.#ended = ended;
    const { handlers, protocol, tasks, number, report, envoy, observer } = deps;
    this.#own = new OwnResponses(protocol);
    this.#fallback = new Fallback(
      {
        ...{ ...deps, own: this.#own },
        send: (message, facts) => {
          const taken = envoy.write(message);
          observer.forwarded(facts, message.length, "agent");
          return taken;
        },
      },
      ended,
    );
    this.#rewrites = new Map(
      handlers.rewritten.map(([type, rewriting]) => [
        type,
        new RewriteQueue(
          {
            ...{ typeUrl: type, rewriting, protocol, tasks, number },
            nextNonce: () => this.#own.nextNonce(),
            forward: (message, facts, source) => this.#write(message, facts, source),
            refused: (refused, reason) => {
              report.agentRefused(refused, reason);
            },
          },
          ended,
        ),
      ]),
    );
  }

  /** Serve it to its end. */
  async run(): Promise<StreamEnd> {
    const { tasks, number, report, cache, cacheAfterMs, hold } = this.#deps;
    tasks.spawn(`requests-of-stream-${number}`, () => this.#forwardRequests());
    const { unreachableSince } = report;
    const waitMs = cacheWaitMs({
      cacheAfterMs,
      unreachableForMs: unreachableSince === undefined ? 0 : performance.now() - unreachableSince,
      isSuccessor: hold === undefined && cache?.isFresh() === true,
    });
    const over = new AbortController();
    tasks.spawn(`health-on-stream-${number}`, () =>
      this.#followHealth(AbortSignal.any([this.#ended, over.signal])),
    );
    tasks.spawn(`cache-for-stream-${number}`, async () => {
      await sleep(waitMs, AbortSignal.any([this.#ended, over.signal]));
      if (!over.signal.aborted) await this.#serveFromCache();
    });
    try {
      for (let failures = 0; ; failures += 1) {
        const end = await this.#connect();
        if (this.#isOver || end.hasAnswered || !this.#cacheMayHelp()) return end;
        if (this.#deps.isNewest()) this.#reportFailure(end);
        await sleep(backoffDelayMs(redial, failures, Math.random()), this.#ended);
        if (this.#isOver) return end;
      }
    } finally {
      over.abort();
    }
  }

  get #isOver(): boolean {
    return this.#ended.aborted || this.#envoyIsDone;
  }

  #cacheMayHelp(): boolean {
    if (this.#cached !== undefined) return true;
    const { cache, observer } = this.#deps;
    const isOfUse = cache !== undefined && !this.#cacheIsUseless && cache.isThere();
    return isOfUse && !observer.hasEarlier(typeUrl.listener);
  }

  #reportFailure(end: StreamEnd): void {
    const { server, answerWithinMs, report } = this.#deps;
    const failure = failureOf(end, server, answerWithinMs);
    if (failure !== undefined) report.connectionFailed(failure);
  }

  /** Resolves when Envoy will send no more. Never rejects: the end of Envoy's stream is noticed elsewhere. */
  async #forwardRequests(): Promise<void> {
    try {
      for await (const message of this.#deps.envoy) {
        const { facts, answered } = this.#deps.observer.request(message);
        const { typeUrl: type } = facts;
        this.#rewrites.get(type)?.requested(facts);
        this.#fallback.requested(facts);
        if (answered !== undefined) this.#fallback.answered(answered);
        const request = this.#own.requested(message, facts);
        if (request === undefined) continue;
        this.#first ??= request;
        if (!this.#hasAnswered) this.#unanswered.push(request);
        if (this.#cached !== undefined) await this.#answerFromCache(this.#cached);
        else if (this.#sink !== undefined) this.#send(this.#sink, request, type);
      }
      this.#envoyIsDone = true;
      if (this.#cached === undefined) this.#sink?.end();
      else this.#sink?.cancel();
    } catch {
      this.#envoyIsDone = true;
      this.#sink?.cancel();
    }
  }

  #send(sink: ByteStream, request: Buffer, type: string): void {
    sink.enqueue(request);
    if (type !== typeUrl.listener || this.#agentHasAsked) return;
    this.#agentHasAsked = true;
    const { protocol, handlers } = this.#deps;
    for (const own of handlers.subscriptions) sink.enqueue(protocol.writeRequest({ typeUrl: own }));
    this.#tellHealth();
  }

  async #followHealth(signal: AbortSignal): Promise<void> {
    for await (const _ of this.#deps.health.changes(signal)) this.#tellHealth();
  }

  /** Not before Envoy has asked for listeners: a control plane takes a workload's health once it serves it. */
  #tellHealth(): void {
    const { health, protocol } = this.#deps;
    const { current } = health;
    if (current === undefined || current === this.#toldHealth) return;
    if (this.#sink === undefined || !this.#agentHasAsked || this.#envoyIsDone) return;
    this.#toldHealth = current;
    this.#sink.enqueue(healthRequest(protocol, current));
  }

  /** One attempt: a connection until it ends. */
  async #connect(): Promise<StreamEnd> {
    const { upstream: options, protocol, token: currentToken, rootChanged } = this.#deps;
    const token = currentToken();
    const sentToken = token !== undefined;
    let cause: OwnCause | undefined;
    let overdue: string | undefined;
    try {
      using upstream = openUpstream(options, protocol.method, token);
      const { stream } = upstream;
      using watch = watchConnection(
        { ...this.#deps, delivery: this.#delivery, ended: this.#ended, rootChanged: rootChanged() },
        (why, type) => {
          cause ??= why;
          overdue ??= type;
          stream.cancel();
        },
      );
      this.#begin(stream);
      // A step each, whose variables end with it: waiting for a response must not keep the one before.
      const responses = stream[Symbol.asyncIterator]();
      for (let step = "passed"; step === "passed";) {
        step = await this.#pass(stream, responses, watch.answered);
        if (step === "back") cause = "back";
      }
      return this.#end({ sentToken }, cause, overdue);
    } catch (error) {
      return this.#end({ sentToken, error }, cause, overdue);
    } finally {
      this.#sink = undefined;
      this.#delivery.ends();
    }
  }

  #end(
    end: { readonly sentToken: boolean; readonly error?: unknown },
    cause: OwnCause | undefined,
    overdue: string | undefined,
  ): StreamEnd {
    return {
      ...end,
      hasAnswered: this.#hasAnswered || cause === "back",
      ...(cause === undefined ? {} : { cause }),
      ...(overdue === undefined ? {} : { overdue }),
    };
  }

  /** Ask of a new connection what Envoy has asked; while the cache serves, only to see whether it answers. */
  #begin(stream: ByteStream): void {
    const { observer, protocol } = this.#deps;
    observer.redialled();
    this.#agentHasAsked = false;
    this.#toldHealth = undefined;
    this.#sink = stream;
    if (this.#cached === undefined) {
      for (const request of this.#unanswered)
        this.#send(stream, request, protocol.readRequest(request).typeUrl);
    } else if (this.#first !== undefined) {
      stream.enqueue(this.#first);
    }
    if (this.#envoyIsDone) stream.end();
  }

  /** Pass one response on. `back` when the cache serves, and the control plane has answered. */
  async #pass(
    stream: ByteStream,
    responses: AsyncIterator<Buffer>,
    answered: () => void,
  ): Promise<"passed" | "ended" | "back"> {
    const { observer, memory } = this.#deps;
    const { done, value: message } = await responses.next();
    if (done === true) return "ended";
    answered();
    const facts = observer.response(message);
    if (this.#cached !== undefined) return "back";
    this.#hasAnswered = true;
    this.#unanswered = [];
    this.#delivery.begins(facts.typeUrl);
    await this.#deliver(stream, message, facts);
    this.#delivery.ends();
    observer.deliveryDone();
    memory.passed(message.length);
    return "passed";
  }

  #deliver(upstream: ByteStream, message: Buffer, facts: ResponseFacts): Promise<void> {
    const { protocol, handlers, report } = this.#deps;
    const route = handlers.route(facts.typeUrl);
    if (route.kind === "leave out") report.dropped(facts.typeUrl);
    if (route.kind === "consume") {
      const taken = takeIn(protocol, facts, route.take);
      if (taken.kind === "refused") report.agentRefused(facts.typeUrl, taken.reason);
      upstream.enqueue(protocol.writeRequest(answerTo(facts, taken)));
    }
    if (route.kind === "leave out" || route.kind === "consume") return Promise.resolve();
    return this.#toEnvoy(message, facts, "control plane", (request) => {
      upstream.enqueue(request);
    });
  }

  /** @param answer sends a request to whoever sent the response */
  #toEnvoy(
    message: Buffer,
    facts: ResponseFacts,
    source: ResponseSource,
    answer: (request: Buffer) => void = () => undefined,
  ): Promise<void> {
    const rewrites = this.#rewrites.get(facts.typeUrl);
    return rewrites === undefined
      ? this.#write(message, facts, source)
      : rewrites.take({ message, facts, source, answer });
  }

  async #write(message: Buffer, facts: ResponseFacts, source: ResponseSource): Promise<void> {
    const { hold, observer, envoy } = this.#deps;
    if (hold !== undefined && facts.typeUrl === typeUrl.listener) await hold.released(this.#ended);
    await this.#fallback.lead(facts, source);
    this.#own.passed(facts);
    this.#fallback.passes(facts);
    const taken = envoy.write(message);
    // It is looked at while it is on its way.
    observer.forwarded(facts, message.length, source);
    await taken;
  }

  /** Begin to serve from the cache, if nothing has come from the control plane and the cache has it all. */
  async #serveFromCache(): Promise<void> {
    const isNeeded = (): boolean =>
      !this.#isOver && !this.#hasAnswered && this.#cached === undefined && this.#cacheMayHelp();
    if (!isNeeded()) return;
    const configuration = await this.#deps.cache?.load();
    if (configuration === undefined) {
      this.#cacheIsUseless = true;
      return;
    }
    if (!isNeeded()) return;
    this.#cached = new CachedAnswers(this.#deps.protocol, configuration.types);
    if (this.#deps.isNewest()) this.#deps.report.servedFromCache(configuration.asOf);
    await this.#answerFromCache(this.#cached);
  }

  /** Answer in order what has not been answered. */
  async #answerFromCache(cached: CachedAnswers): Promise<void> {
    if (this.#isAnswering) return;
    this.#isAnswering = true;
    const { protocol } = this.#deps;
    for (let next = this.#unanswered.shift(); next !== undefined; next = this.#unanswered.shift()) {
      const answer = cached.answer(protocol.readRequest(next));
      if (answer === undefined) continue;
      const message = protocol.writeResponse(answer);
      await this.#toEnvoy(message, protocol.readResponse(message), "cache");
    }
    this.#isAnswering = false;
  }
}
