/**
 * Reads what passes on one stream: for the report, for the cache, and to see that the control plane answers.
 */
import { OpenQuestions } from "../../xds/open-questions.ts";
import { wildcardTypes } from "../../xds/type-urls.ts";
import { UnansweredResponses } from "../../xds/unanswered.ts";
import type { SpanSink } from "../../telemetry/spans.ts";
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
  readonly #spans: SpanSink | undefined;
  readonly #unanswered = new UnansweredResponses<Unanswered>(maxUnansweredBytes);
  readonly #questions: OpenQuestions;
  /** Types of which Envoy said that it has something already. */
  readonly #known = new Set<string>();
  /** Types of which a response has come on this stream. */
  readonly #seen = new Set<string>();

  constructor(
    protocol: AdsProtocol,
    stream: number,
    sinks: {
      readonly report: ConnectionReport;
      readonly recorder: Recorder;
      readonly accepted: AcceptedResources;
      /** Types that the control plane has not answered before, over all streams: no proof that it is dead. */
      readonly silentTypes: Set<string>;
      /** Gets each response with Envoy's answer; undefined where nobody traces them. */
      readonly spans: SpanSink | undefined;
    },
  ) {
    this.#protocol = protocol;
    this.#stream = stream;
    this.#report = sinks.report;
    this.#recorder = sinks.recorder;
    this.#accepted = sinks.accepted;
    this.#spans = sinks.spans;
    this.#questions = new OpenQuestions(sinks.silentTypes);
  }

  /** True once Envoy has shown that it has something of a type from an earlier stream. */
  hasEarlier(typeUrl: string): boolean {
    return this.#known.has(typeUrl);
  }

  /** Responses of a type that Envoy has not answered, in the order in which they were sent; none of the agent's. */
  unanswered(typeUrl: string): readonly ResponseFacts[] {
    return this.#unanswered
      .ofType(typeUrl)
      .flatMap(({ response, source }) => (source === "agent" ? [] : [response]));
  }

  /** The type whose answer is overdue, if there is one: the control plane must be taken for dead. */
  overdue(limitMs: number): string | undefined {
    return this.#questions.overdue(performance.now(), limitMs);
  }

  /** What waited for Envoy has been taken. */
  deliveryDone(): void {
    this.#questions.deliveryDone(performance.now());
  }

  /** A connection begins. */
  redialled(): void {
    this.#questions.redialled(performance.now());
  }

  /** Take note of a request of Envoy, and of what it answers. @throws Error when the bytes are no request */
  request(message: Uint8Array): { readonly facts: RequestFacts; readonly answered: Answered | undefined } {
    const facts = this.#protocol.readRequest(message);
    const { typeUrl, nonce, error, names } = facts;
    this.#report.request(message.length);
    if (facts.version !== "" || Object.keys(facts.known).length > 0) {
      if (!this.#seen.has(typeUrl)) this.#known.add(typeUrl);
    }
    const unanswered = this.#unanswered.answered(nonce);
    if (unanswered === undefined) {
      const asks = nonce === "" || (this.#protocol.isDelta && names.length > 0);
      if (asks) this.#questions.asked(typeUrl, performance.now());
      return { facts, answered: undefined };
    }
    const { response, source, full, goesToCache, exchange, at, bytes } = unanswered;
    const latencyMs = performance.now() - at;
    this.#recorder.answered(response.typeUrl, exchange, latencyMs, error);
    this.#spans?.({
      name: "xds.push",
      startedAt: at,
      attributes: {
        "xds.type_url": response.typeUrl,
        "xds.version": response.version,
        "xds.nonce": response.nonce,
        "xds.resources": response.resources.length,
        "xds.bytes": bytes,
        "xds.stream": this.#stream,
        "xds.source": source,
      },
      error,
    });
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
    this.#questions.answered(facts.typeUrl, performance.now());
    this.#report.response(facts.typeUrl, message.length);
    return facts;
  }

  /** A response goes to Envoy. */
  forwarded(response: ResponseFacts, bytes: number, source: ResponseSource): void {
    const { typeUrl, nonce, version, resources, removed } = response;
    this.#questions.settled(typeUrl);
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
    const at = performance.now();
    const sent = { response, source, exchange, at, bytes, full, goesToCache };
    for (const dropped of this.#unanswered.sent(sent))
      if (dropped.goesToCache) this.#accepted.giveUp(dropped.response.typeUrl, "Envoy does not answer");
  }
}
