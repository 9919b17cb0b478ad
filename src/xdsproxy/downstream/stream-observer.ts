/**
 * Reads what passes on one stream: for the report, for the cache, and to see that the control plane answers.
 */
import { wildcardTypes } from "../../xds/type-urls.ts";
import type { AcceptedResources } from "../cache/accepted-resources.ts";
import type { ConnectionReport } from "../report/connection-report.ts";
import type { AdsProtocol, RequestFacts, ResponseFacts } from "../../xds/protocol.ts";
import { type Recorder, type ResponseSource, recordedNames } from "../report/recorder.ts";

/** Largest sum of responses that are held until Envoy has answered them, in bytes. */
const maxUnansweredBytes = 134_217_728;

/** A response that waits for Envoy's answer. */
interface Unanswered {
  readonly response: ResponseFacts;
  readonly source: ResponseSource;
  /** Number in the recorder. */
  readonly exchange: number;
  /** On the monotonic clock, in milliseconds. */
  readonly at: number;
  readonly bytes: number;
  /** True when it holds everything that there is of its type. */
  readonly full: boolean;
  readonly goesToCache: boolean;
}

/** Envoy's answer to a response. */
export interface Answered {
  readonly response: ResponseFacts;
  readonly source: ResponseSource;
  readonly full: boolean;
  readonly goesToCache: boolean;
  /** Envoy's words, when it refuses it. */
  readonly error: string | undefined;
}

/** One stream. */
export class StreamObserver {
  readonly #protocol: AdsProtocol;
  readonly #stream: number;
  readonly #report: ConnectionReport;
  readonly #recorder: Recorder;
  readonly #accepted: AcceptedResources;
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
      readonly accepted: AcceptedResources;
      /** Types that the control plane has not answered before, over all streams: no proof that it is dead. */
      readonly silentTypes: Set<string>;
    },
  ) {
    this.#protocol = protocol;
    this.#stream = stream;
    this.#report = sinks.report;
    this.#recorder = sinks.recorder;
    this.#accepted = sinks.accepted;
    this.#silentTypes = sinks.silentTypes;
  }

  /** True once Envoy has shown that it has something of a type from an earlier stream. */
  hasEarlier(typeUrl: string): boolean {
    return this.#known.has(typeUrl);
  }

  /** Responses of a type that Envoy has not answered, in the order in which they were sent; none of the agent's. */
  unanswered(typeUrl: string): readonly ResponseFacts[] {
    return [...this.#unanswered.values()].flatMap(({ response, source }) =>
      response.typeUrl === typeUrl && source !== "agent" ? [response] : [],
    );
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

  /** Take note of a request of Envoy, and of what it answers. @throws Error when the bytes are no request */
  request(message: Uint8Array): { readonly facts: RequestFacts; readonly answered: Answered | undefined } {
    const facts = this.#protocol.readRequest(message);
    const { typeUrl, nonce, error, names } = facts;
    this.#report.request(message.length);
    if (facts.version !== "" || Object.keys(facts.known).length > 0) {
      if (!this.#seen.has(typeUrl)) this.#known.add(typeUrl);
    }
    const unanswered = this.#unanswered.get(nonce);
    if (unanswered === undefined) {
      const asks = nonce === "" || (this.#protocol.isDelta && names.length > 0);
      if (asks && !this.#questions.has(typeUrl)) this.#questions.set(typeUrl, performance.now());
      return { facts, answered: undefined };
    }
    this.#unanswered.delete(nonce);
    const { response, source, full, goesToCache, exchange, bytes, at } = unanswered;
    this.#unansweredBytes -= bytes;
    const latencyMs = performance.now() - at;
    this.#recorder.answered(response.typeUrl, exchange, latencyMs, error);
    if (source !== "agent")
      this.#report.typeEvent(
        typeUrl,
        error === undefined ? { kind: "acked", latencyMs } : { kind: "nacked", error },
      );
    if (error === undefined && source === "control plane") {
      const { version, resources, removed } = response;
      const changed = resources.map((view) => this.#protocol.readResource(view, version));
      this.#accepted.acknowledged(
        { typeUrl: response.typeUrl, full, version, changed, removed },
        goesToCache,
      );
    }
    return { facts, answered: { response, source, full, goesToCache, error } };
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

  /** A response goes to Envoy. */
  forwarded(response: ResponseFacts, bytes: number, source: ResponseSource): void {
    const { typeUrl, nonce, version, resources, removed } = response;
    this.#questions.delete(typeUrl);
    const isFirst = !this.#seen.has(typeUrl);
    this.#seen.add(typeUrl);
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
    if (source !== "agent") this.#report.typeEvent(typeUrl, { kind: "received" });
    const full =
      wildcardTypes.has(typeUrl) && (!this.#protocol.isDelta || (isFirst && !this.#known.has(typeUrl)));
    const goesToCache = source !== "cache" && this.#accepted.goesToCache(typeUrl, bytes);
    // A nonce that comes twice is answered once.
    this.#unansweredBytes += bytes - (this.#unanswered.get(nonce)?.bytes ?? 0);
    const at = performance.now();
    this.#unanswered.set(nonce, { response, source, exchange, at, bytes, full, goesToCache });
    this.#limitUnanswered();
  }

  /** An Envoy that answers nothing must not make the agent hold everything. */
  #limitUnanswered(): void {
    for (const [nonce, { response, bytes, goesToCache }] of this.#unanswered) {
      if (this.#unansweredBytes <= maxUnansweredBytes) return;
      this.#unanswered.delete(nonce);
      this.#unansweredBytes -= bytes;
      if (goesToCache) this.#accepted.giveUp(response.typeUrl, "Envoy does not answer");
    }
  }
}
