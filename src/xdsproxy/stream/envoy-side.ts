/**
 * Envoy's side of one stream: what is made of its requests before anybody else gets them, and what happens to a response
 * on its way to it.
 */
import type { ByteStream } from "../../grpc/channel.ts";
import type { TaskGroup } from "../../lifecycle/task-group.ts";
import type { Logger } from "../../telemetry/log.ts";
import { OwnResponses } from "../../xds/own-response.ts";
import type { AdsProtocol, ResponseFacts } from "../../xds/protocol.ts";
import type { AcceptedResources } from "../cache/accepted-resources.ts";
import type { HeldListeners } from "../downstream/held-listeners.ts";
import type { StreamObserver } from "../downstream/stream-observer.ts";
import type { HandlerTable } from "../handlers/handler-table.ts";
import { type RelayedResponse, RewriteQueue } from "../handlers/rewrite-queue.ts";
import { Fallback } from "../refusals/fallback.ts";
import type { Refusals } from "../refusals/refusals.ts";
import type { ConnectionReport } from "../report/connection-report.ts";
import type { ResponseSource } from "../report/recorder.ts";
import { isHeldBack } from "./stream-decisions.ts";
import type { EnvoyRequest } from "./stream-state.ts";

/** What it works with. */
export interface EnvoySideDependencies {
  readonly protocol: AdsProtocol;
  readonly envoy: ByteStream;
  /** Counts up; names the stream's tasks. */
  readonly number: number;
  readonly observer: StreamObserver;
  readonly report: ConnectionReport;
  readonly handlers: HandlerTable;
  readonly accepted: AcceptedResources;
  readonly refusals: Refusals;
  readonly hold: HeldListeners | undefined;
  readonly isNewest: () => boolean;
  readonly tasks: TaskGroup;
  readonly log: Logger;
}

/** One stream's. */
export class EnvoySide {
  readonly #deps: EnvoySideDependencies;
  readonly #ended: AbortSignal;
  /** Types whose resources may be rewritten. */
  readonly #rewrites: ReadonlyMap<string, RewriteQueue>;
  readonly #own: OwnResponses;
  readonly #fallback: Fallback;

  /** @param ended aborts when Envoy is gone or the proxy closes */
  constructor(deps: EnvoySideDependencies, ended: AbortSignal) {
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
    const rewriteQueue = (...[typeUrl, rewriting]: HandlerTable["rewritten"][number]): RewriteQueue =>
      new RewriteQueue(
        {
          ...{ typeUrl, rewriting, protocol, tasks, number },
          nextNonce: () => this.#own.nextNonce(),
          forward: (message, facts, source) => this.#write(message, facts, source),
          refused: (type, reason) => {
            report.agentRefused(type, reason);
          },
        },
        ended,
      );
    this.#rewrites = new Map(handlers.rewritten.map((row) => [row[0], rewriteQueue(...row)]));
  }

  /**
   * Take in a message of Envoy's.
   *
   * @returns what the control plane is to get of it; undefined when that is nothing
   * @throws Error when the bytes are no request
   */
  requested(message: Buffer): EnvoyRequest | undefined {
    const { facts, answered } = this.#deps.observer.request(message);
    const { typeUrl } = facts;
    this.#rewrites.get(typeUrl)?.requested(facts);
    this.#fallback.requested(facts);
    if (answered !== undefined) this.#fallback.answered(answered);
    const request = this.#own.requested(message, facts);
    return request === undefined ? undefined : { message: request, typeUrl };
  }

  /** Resolves when Envoy has taken a response, or when one that is to be rewritten waits in its queue. */
  relay(response: RelayedResponse): Promise<void> {
    const { message, facts, source } = response;
    const rewrites = this.#rewrites.get(facts.typeUrl);
    return rewrites === undefined ? this.#write(message, facts, source) : rewrites.take(response);
  }

  async #write(message: Buffer, facts: ResponseFacts, source: ResponseSource): Promise<void> {
    const { hold, observer, envoy } = this.#deps;
    if (isHeldBack(facts.typeUrl, hold !== undefined)) await hold?.released(this.#ended);
    await this.#fallback.lead(facts, source);
    this.#own.passed(facts);
    this.#fallback.passes(facts);
    const taken = envoy.write(message);
    // It is looked at while it is on its way.
    observer.forwarded(facts, message.length, source);
    await taken;
  }
}
