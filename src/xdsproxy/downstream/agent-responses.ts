/**
 * Responses that the agent makes and sends on one stream, each with Envoy's answer to it.
 */
import type { TaskGroup } from "../../lifecycle/task-group.ts";
import { Deadline } from "../../lifecycle/timer.ts";
import type { OwnResponses } from "../../xds/own-response.ts";
import type { AdsProtocol, LocalResponse, ResponseFacts } from "../../xds/protocol.ts";
import type { Answered } from "./stream-observer.ts";

/** What Envoy said to one; `void` when it can say nothing any more, or need not. */
export type PartAnswer = "accepted" | "refused" | "void";

/** What they are sent with. */
export interface AgentResponseDependencies {
  readonly protocol: AdsProtocol;
  readonly own: OwnResponses;
  readonly tasks: TaskGroup;
  /** Number of the stream, which names its tasks. */
  readonly number: number;
  /** Rejects when Envoy is gone. */
  readonly send: (message: Buffer, facts: ResponseFacts) => Promise<void>;
}

/** How long an answer is waited for, in milliseconds: an Envoy that takes in a large configuration answers nothing. */
const answerWithinMs = 120_000;

/** Those of one stream. */
export class AgentResponses {
  readonly #deps: AgentResponseDependencies;
  readonly #ended: AbortSignal;
  readonly #waiting = new Map<string, (answered: Answered) => void>();

  /** @param ended aborts when Envoy is gone or the proxy closes */
  constructor(deps: AgentResponseDependencies, ended: AbortSignal) {
    this.#deps = deps;
    this.#ended = ended;
  }

  /**
   * Send one: it is on its way when this returns. Resolves with Envoy's answer; never rejects.
   *
   * @param accepted called when Envoy accepts it, before Envoy's next answer is read
   */
  async send(
    response: Omit<LocalResponse, "nonce">,
    accepted?: (answered: Answered) => void,
  ): Promise<PartAnswer> {
    if (this.#ended.aborted) return "void";
    const { protocol, own, send, tasks, number } = this.#deps;
    const nonce = own.nextNonce();
    const message = protocol.writeResponse({ ...response, nonce });
    const { promise, resolve } = Promise.withResolvers<Answered | undefined>();
    const give = (): void => {
      resolve(undefined);
    };
    using deadline = new Deadline(answerWithinMs);
    deadline.signal.addEventListener("abort", give, { once: true });
    this.#ended.addEventListener("abort", give, { once: true });
    this.#waiting.set(nonce, (answered) => {
      if (answered.error === undefined) accepted?.(answered);
      resolve(answered);
    });
    tasks.spawn(`send-${nonce}-on-stream-${number}`, () =>
      send(message, protocol.readResponse(message)).catch(give),
    );
    const answered = await promise;
    this.#waiting.delete(nonce);
    this.#ended.removeEventListener("abort", give);
    if (answered === undefined) return "void";
    return answered.error === undefined ? "accepted" : "refused";
  }

  /** Envoy has answered one of them. */
  answered(answered: Answered): void {
    this.#waiting.get(answered.response.nonce)?.(answered);
  }
}
