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
import { sleep } from "../../lifecycle/sleep.ts";
import type { ReadonlyWatch } from "../../lifecycle/watch.ts";
import type { MemoryRelease } from "../../process/memory-release.ts";
import type { ResponseFacts } from "../../xds/protocol.ts";
import { typeUrl } from "../../xds/type-urls.ts";
import { cacheWaitMs } from "../cache/cache-wait.ts";
import { CachedAnswers } from "../cache/cached-answers.ts";
import type { CachedConfiguration, XdsCache } from "../cache/xds-cache.ts";
import { Delivery } from "../downstream/delivery.ts";
import { answerTo, takeIn, takeInKept } from "../handlers/handler-table.ts";
import type { UpstreamOptions } from "../upstream/options.ts";
import { failureOf, type OwnCause, type StreamEnd } from "../upstream/stream-end.ts";
import { openUpstream } from "../upstream/upstream.ts";
import type { DialPace } from "./dial-pace.ts";
import { watchConnection } from "./connection-watch.ts";
import { EnvoySide, type EnvoySideDependencies } from "./envoy-side.ts";
import { type HealthReport, healthRequest } from "./health-report.ts";
import { afterConnection, type CacheFacts, cacheMayHelp } from "./stream-decisions.ts";
import {
  opened,
  streamAfter,
  type StreamEffect,
  type StreamEvent,
  type StreamState,
} from "./stream-state.ts";

/** What a stream is served with. */
export interface EnvoyStreamDependencies extends EnvoySideDependencies {
  readonly upstream: UpstreamOptions;
  readonly server: ServerDescription;
  readonly token: () => string | undefined;
  /** Undefined until there is something to tell. */
  readonly health: ReadonlyWatch<HealthReport | undefined>;
  readonly cache: XdsCache | undefined;
  readonly cacheAfterMs: number;
  readonly pace: DialPace;
  /** Aborts when the root of the moment is replaced. */
  readonly rootChanged: () => AbortSignal;
  /** How long a request may go without an answer, in milliseconds. */
  readonly answerWithinMs: number;
  /** How long Envoy may take over a response before that is said, in milliseconds. */
  readonly slowAfterMs: number;
  readonly memory: MemoryRelease;
}

/** The stream. */
export class EnvoyStream {
  readonly #deps: EnvoyStreamDependencies;
  readonly #ended: AbortSignal;
  readonly #side: EnvoySide;
  readonly #delivery = new Delivery();
  #state: StreamState = opened;
  /** The connection of the moment. */
  #upstream: ByteStream | undefined;

  /** @param ended aborts when Envoy is gone or the proxy closes */
  constructor(deps: EnvoyStreamDependencies, ended: AbortSignal) {
    this.#deps = deps;
    this.#ended = ended;
    this.#side = new EnvoySide(deps, ended);
  }

  /** Serve it to its end. */
  async run(): Promise<StreamEnd> {
    const { tasks, number, report, cache, cacheAfterMs, hold, health, pace } = this.#deps;
    tasks.spawn(`requests-of-stream-${number}`, () => this.#forwardRequests());
    const { unreachableSince } = report;
    const waitMs = cacheWaitMs({
      cacheAfterMs,
      unreachableForMs: unreachableSince === undefined ? 0 : performance.now() - unreachableSince,
      isSuccessor: hold === undefined && cache?.isFresh() === true,
    });
    const over = new AbortController();
    const signal = AbortSignal.any([this.#ended, over.signal]);
    tasks.spawn(`health-on-stream-${number}`, async () => {
      for await (const current of health.changes(signal))
        await this.#happened({ kind: "health", health: current });
    });
    tasks.spawn(`cache-for-stream-${number}`, async () => {
      await sleep(waitMs, signal);
      if (!over.signal.aborted) await this.#readCache();
    });
    try {
      for (;;) {
        await pace.wait(this.#ended);
        const end = await this.#connect();
        if (!end.hasAnswered && end.cause === undefined && !this.#isOver) pace.failed();
        if (afterConnection(this.#state, end, this.#cacheFacts, this.#isOver) === "end") return end;
        if (this.#deps.isNewest()) this.#reportFailure(end);
        if (this.#isOver) return end;
      }
    } finally {
      over.abort();
    }
  }

  get #isOver(): boolean {
    return this.#ended.aborted || this.#state.envoyIsDone;
  }

  get #cacheFacts(): CacheFacts {
    const { cache, observer } = this.#deps;
    return {
      isThere: cache?.isThere() === true,
      envoyHasListeners: observer.hasEarlier(typeUrl.listener),
    };
  }

  #reportFailure(end: StreamEnd): void {
    const { server, answerWithinMs, report } = this.#deps;
    const failure = failureOf(end, server, answerWithinMs);
    if (failure !== undefined) report.connectionFailed(failure);
  }

  /** Take an event in and do what follows from it; true when Envoy's stream is to end. */
  async #happened(event: StreamEvent): Promise<boolean> {
    for (let next: StreamEvent | undefined = event; next !== undefined;) {
      const { state, effects } = streamAfter(this.#state, next);
      this.#state = state;
      next = undefined;
      for (const effect of effects) {
        if (effect.kind === "resubscribe") return true;
        if (effect.kind === "answer") {
          await this.#answer(effect);
          next = { kind: "answered" };
        } else {
          this.#say(effect);
        }
      }
    }
    return false;
  }

  /** Never waits for the control plane. */
  #say(effect: Exclude<StreamEffect, { kind: "answer" | "resubscribe" }>): void {
    const { protocol, handlers } = this.#deps;
    switch (effect.kind) {
      case "ask":
        this.#upstream?.enqueue(effect.request.message);
        break;
      case "subscribe":
        for (const own of handlers.subscriptions)
          this.#upstream?.enqueue(protocol.writeRequest({ typeUrl: own }));
        break;
      case "tell health":
        this.#upstream?.enqueue(healthRequest(protocol, effect.health));
        break;
      case "end connection":
        this.#upstream?.end();
        break;
      case "cancel connection":
        this.#upstream?.cancel();
    }
  }

  /** Resolves when Envoy will send no more. Never rejects: the end of Envoy's stream is noticed elsewhere. */
  async #forwardRequests(): Promise<void> {
    try {
      for await (const message of this.#deps.envoy) {
        const request = this.#side.requested(message);
        if (request !== undefined) await this.#happened({ kind: "requested", request });
      }
      await this.#happened({ kind: "envoy done", isBroken: false });
    } catch {
      await this.#happened({ kind: "envoy done", isBroken: true });
    }
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
      this.#deps.observer.redialled();
      this.#upstream = stream;
      await this.#happened({ kind: "dialled" });
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
      this.#upstream = undefined;
      await this.#happened({ kind: "disconnected" });
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
      hasAnswered: this.#state.kind === "relaying" || cause === "back",
      ...(cause === undefined ? {} : { cause }),
      ...(overdue === undefined ? {} : { overdue }),
    };
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
    this.#deps.pace.reset();
    const facts = observer.response(message);
    if (await this.#happened({ kind: "responded" })) return "back";
    this.#delivery.begins(facts.typeUrl);
    await this.#deliver(stream, message, facts);
    this.#delivery.ends();
    observer.deliveryDone();
    memory.passed(message.length);
    return "passed";
  }

  async #deliver(upstream: ByteStream, message: Buffer, facts: ResponseFacts): Promise<void> {
    const { protocol, handlers, report } = this.#deps;
    const route = handlers.route(facts.typeUrl);
    switch (route.kind) {
      case "leave out":
        report.dropped(facts.typeUrl);
        return;
      case "consume": {
        const taken = await takeIn(protocol, facts, route.take);
        if (taken.kind === "refused") report.agentRefused(facts.typeUrl, taken.reason);
        else if (route.isKept) this.#keep(facts, message.length);
        upstream.enqueue(protocol.writeRequest(answerTo(facts, taken)));
        return;
      }
      case "relay":
        await this.#side.relay({
          ...{ message, facts, source: "control plane" },
          answer: (request) => {
            upstream.enqueue(request);
          },
        });
    }
  }

  /** Keep what the agent has taken in: the first resource, which is all that it reads. */
  #keep({ typeUrl: type, version, resources }: ResponseFacts, bytes: number): void {
    const { protocol, cache } = this.#deps;
    if (cache?.accepts(type, bytes) !== true) return;
    const changed = resources.slice(0, 1).map((view) => protocol.readResource(view, version));
    cache.acknowledged({ typeUrl: type, full: true, version, changed, removed: [] });
  }

  /** What the agent itself had taken in goes with Envoy's configuration. */
  async #takeKept({ types, asOf }: CachedConfiguration): Promise<void> {
    const { handlers, report } = this.#deps;
    for (const [type, takeKept] of handlers.kept) {
      const kept = types.get(type);
      if (kept === undefined) continue;
      const [resource] = kept.resources.values();
      const taken = await takeInKept(resource, (value) => takeKept(value, asOf));
      if (taken.kind === "refused") report.agentRefused(type, taken.reason);
    }
  }

  /** Begin to serve from the cache, if nothing has come from the control plane and the cache has it all. */
  async #readCache(): Promise<void> {
    const { cache, protocol, report, isNewest } = this.#deps;
    const isNeeded = (): boolean =>
      this.#state.kind === "waiting" && !this.#isOver && cacheMayHelp(this.#state, this.#cacheFacts);
    if (!isNeeded()) return;
    const configuration = await cache?.load();
    if (configuration !== undefined) {
      if (isNeeded()) await this.#takeKept(configuration);
      if (!isNeeded()) return;
      if (isNewest()) report.servedFromCache(configuration.asOf);
    }
    const answers =
      configuration === undefined ? undefined : new CachedAnswers(protocol, configuration.types);
    await this.#happened({ kind: "cache read", answers });
  }

  async #answer({ request, answers }: Extract<StreamEffect, { kind: "answer" }>): Promise<void> {
    const { protocol } = this.#deps;
    const answer = answers.answer(protocol.readRequest(request.message));
    if (answer === undefined) return;
    const message = protocol.writeResponse(answer);
    const facts = protocol.readResponse(message);
    await this.#side.relay({ message, facts, source: "cache", answer: () => undefined });
  }
}
