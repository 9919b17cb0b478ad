/**
 * Reads what passes on one stream: for the report, for the cache, and to see that the control plane answers.
 */
import { typeUrl as types, wildcardTypes } from "../xds/type-urls.ts";
import type { AcknowledgedUpdate } from "./cached-type.ts";
import type { ConnectionReport } from "./connection-report.ts";
import type { AdsProtocol, RequestFacts, ResponseFacts } from "./protocol.ts";
import { type Recorder, type ResponseSource, recordedNames } from "./recorder.ts";
import type { WireResource } from "./wire-resource.ts";

/** Types that Envoy understands; a control plane may also send what is meant for an agent. */
const envoyTypes = "type.googleapis.com/envoy.";

/** Largest sum of responses that are held until Envoy has answered them, in bytes. */
const maxUnansweredBytes = 134_217_728;

/** Where acknowledged state goes. */
export interface AcknowledgedStates {
  /** False for a type that is never kept, and for a response that is too large. */
  accepts(typeUrl: string, bytes: number): boolean;
  acknowledged(update: AcknowledgedUpdate): void;
  giveUp(typeUrl: string, reason: string): void;
  drop(typeUrl: string, names: readonly string[]): void;
}

interface Unanswered {
  readonly typeUrl: string;
  /** Number in the recorder. */
  readonly exchange: number;
  /** On the monotonic clock, in milliseconds. */
  readonly at: number;
  readonly names: readonly string[];
  readonly bytes: number;
  /** Undefined when it is not to be cached. */
  readonly update: (() => AcknowledgedUpdate) | undefined;
}

/** One stream. */
export class StreamObserver {
  readonly #protocol: AdsProtocol;
  readonly #stream: number;
  readonly #report: ConnectionReport;
  readonly #recorder: Recorder;
  readonly #cache: AcknowledgedStates | undefined;
  readonly #silentTypes: Set<string>;
  /** By nonce; a later change of subscription repeats an answered one. */
  readonly #unanswered = new Map<string, Unanswered>();
  #unansweredBytes = 0;
  /** Types of which Envoy said that it has something already. */
  readonly #known = new Set<string>();
  /** Types of which a response has come on this stream. */
  readonly #seen = new Set<string>();
  /** When each question was asked that has not been answered, on the monotonic clock. */
  readonly #questions = new Map<string, number>();
  #lastResponseAt = 0;

  constructor(
    protocol: AdsProtocol,
    stream: number,
    sinks: {
      readonly report: ConnectionReport;
      readonly recorder: Recorder;
      readonly cache: AcknowledgedStates | undefined;
      /** Types that the control plane has not answered before, over all streams: no proof that it is dead. */
      readonly silentTypes: Set<string>;
    },
  ) {
    this.#protocol = protocol;
    this.#stream = stream;
    this.#report = sinks.report;
    this.#recorder = sinks.recorder;
    this.#cache = sinks.cache;
    this.#silentTypes = sinks.silentTypes;
  }

  /** True once Envoy has shown that it has listeners of an earlier stream. */
  get hasListeners(): boolean {
    return this.#known.has(types.listener);
  }

  /**
   * The type that was asked for so long ago that the control plane must be taken for dead, if there is one: a
   * response of any type in the meantime shows that it lives.
   */
  overdue(limitMs: number): string | undefined {
    const now = performance.now();
    if (now - this.#lastResponseAt < limitMs) return undefined;
    for (const [type, askedAt] of this.#questions) {
      if (now - askedAt < limitMs) continue;
      if (this.#lastResponseAt > 0 && this.#silentTypes.has(type)) continue;
      this.#silentTypes.add(type);
      return type;
    }
    return undefined;
  }

  /** What waited for Envoy has been taken: until now nothing further could come. */
  deliveryDone(): void {
    this.#lastResponseAt = performance.now();
  }

  /** A connection begins: what was asked before is asked of it. */
  redialled(): void {
    const now = performance.now();
    this.#lastResponseAt = 0;
    for (const type of this.#questions.keys()) this.#questions.set(type, now);
  }

  /** Take note of a request of Envoy. @throws Error when the bytes are no request */
  request(message: Uint8Array): RequestFacts {
    const facts = this.#protocol.readRequest(message);
    const { typeUrl, nonce, error, names, unsubscribed } = facts;
    this.#report.request(message.length);
    if (facts.version !== "" || Object.keys(facts.known).length > 0) {
      if (!this.#seen.has(typeUrl)) this.#known.add(typeUrl);
    }
    if (unsubscribed.length > 0) this.#cache?.drop(typeUrl, unsubscribed);
    const answered = this.#unanswered.get(nonce);
    if (answered === undefined) {
      const asks = nonce === "" || (this.#protocol.isDelta && names.length > 0);
      if (asks && !this.#questions.has(typeUrl)) this.#questions.set(typeUrl, performance.now());
      return facts;
    }
    this.#unanswered.delete(nonce);
    this.#unansweredBytes -= answered.bytes;
    const latencyMs = performance.now() - answered.at;
    this.#recorder.answered(answered.typeUrl, answered.exchange, latencyMs, error);
    this.#report.typeEvent(
      typeUrl,
      error === undefined
        ? { kind: "acked", latencyMs }
        : { kind: "nacked", error, resources: blamed(answered.names, error) },
    );
    if (error === undefined && answered.update !== undefined) this.#cache?.acknowledged(answered.update());
    return facts;
  }

  /** Take note of a response of the control plane. @throws Error when the bytes are no response */
  response(message: Uint8Array): ResponseFacts {
    const facts = this.#protocol.readResponse(message);
    this.#lastResponseAt = performance.now();
    this.#questions.delete(facts.typeUrl);
    this.#silentTypes.delete(facts.typeUrl);
    this.#report.response(facts.typeUrl, message.length);
    return facts;
  }

  /** True for what Envoy, or a proxyless application in its place, is to get. */
  isForEnvoy({ typeUrl }: ResponseFacts): boolean {
    const isEnvoys = typeUrl.startsWith(envoyTypes) || typeUrl === types.workload;
    if (!isEnvoys) this.#report.dropped(typeUrl);
    return isEnvoys;
  }

  /** A response goes to Envoy. */
  forwarded(facts: ResponseFacts, bytes: number, source: ResponseSource): void {
    const { typeUrl, nonce, version, resources, removed } = facts;
    this.#questions.delete(typeUrl);
    const isFirst = !this.#seen.has(typeUrl);
    this.#seen.add(typeUrl);
    const read = (view: Uint8Array): WireResource => this.#protocol.readResource(view, version);
    const names = resources.slice(0, recordedNames).map((view) => this.#protocol.nameOf(view));
    const exchange = this.#recorder.sent({
      typeUrl,
      stream: this.#stream,
      source,
      version,
      nonce,
      names,
      resources: resources.length,
      removed,
      bytes,
    });
    this.#report.typeEvent(typeUrl, { kind: "received" });
    const full =
      wildcardTypes.has(typeUrl) && (!this.#protocol.isDelta || (isFirst && !this.#known.has(typeUrl)));
    const isCached = source === "control plane" && this.#cache?.accepts(typeUrl, bytes) === true;
    // A nonce that comes twice is answered once.
    this.#unansweredBytes -= this.#unanswered.get(nonce)?.bytes ?? 0;
    this.#unanswered.set(nonce, {
      typeUrl,
      exchange,
      at: performance.now(),
      names,
      bytes: isCached ? bytes : 0,
      update: isCached
        ? () => ({ typeUrl, full, version, changed: resources.map(read), removed })
        : undefined,
    });
    if (isCached) this.#unansweredBytes += bytes;
    this.#limitUnanswered();
  }

  /** An Envoy that answers nothing must not make the agent hold everything. */
  #limitUnanswered(): void {
    for (const [nonce, { typeUrl, bytes }] of this.#unanswered) {
      if (this.#unansweredBytes <= maxUnansweredBytes) return;
      this.#unanswered.delete(nonce);
      this.#unansweredBytes -= bytes;
      this.#cache?.giveUp(typeUrl, "Envoy does not answer");
    }
  }
}

/** The resources that Envoy names in its refusal, or else those that it was sent. */
function blamed(names: readonly string[], error: string): readonly string[] {
  const named = names.filter((name) => name !== "" && error.includes(name));
  return named.length > 0 ? named : names;
}
