/**
 * Answers queries: from the table, from what upstreams said not long ago, from an upstream.
 */
import { errorMessage } from "../../lifecycle/error-message.ts";
import { Timer } from "../../lifecycle/timer.ts";
import type { ReadonlyWatch } from "../../lifecycle/watch.ts";
import { writeAnswer, type AnswerStyle } from "../table/write-answer.ts";
import type { NameTable } from "../table/name-table.ts";
import { writeNames } from "../table/reverse.ts";
import { undisguised } from "../upstream/exchange.ts";
import type { Forwarded, Question } from "../upstream/forwarding.ts";
import type { ResolverConfig } from "../upstream/resolv-conf.ts";
import { maxMessageBytes, rcode } from "../wire/constants.ts";
import { type Query, readQuery } from "../wire/query.ts";
import { emptyReply, truncated, withOpt } from "../wire/reply.ts";
import { asksServerId, writeServerId } from "../wire/server-id.ts";
import type { AnswerCache } from "./answer-cache.ts";
import { cacheKeyOf } from "./answer-cache.ts";
import { ClientLimit } from "./client-limit.ts";
import { askTable } from "./from-table.ts";

/** Where an answer came from, or why it is none. */
export type AnswerSource =
  | "table"
  | "cache"
  | "stale"
  | "upstream"
  /** No upstream answered, or none well. */
  | "failed"
  /** It was about this server itself. */
  | "own"
  /** It cannot be read. */
  | "malformed"
  /** There is no name table yet. */
  | "no table"
  /** The client has too many open. */
  | "limit"
  /** It was one of our own. */
  | "loop";

/** Who asks. */
export interface Client {
  readonly address: string;
  readonly port: number;
  readonly overTcp: boolean;
}

/** Answers and what is counted of them. */
export interface AnswererDependencies {
  readonly table: ReadonlyWatch<NameTable | undefined>;
  readonly config: () => ResolverConfig;
  readonly forwarder: {
    forward(question: Question): Promise<Forwarded>;
    hasSent(port: number, message: Buffer): boolean;
  };
  readonly cache: AnswerCache;
  /** True while queries have to wait for the first table. */
  readonly isGated: () => boolean;
  readonly answered: (source: AnswerSource) => void;
}

/** Its options. */
export interface AnswererOptions {
  readonly style: AnswerStyle;
  /** What it says of itself, and no other server does. */
  readonly serverId: string;
  readonly clientQueries: number;
}

/** Forwarded queries that may be open at once, whoever asks: what bounds memory. */
const maxOpen = 4_096;

/** An answer that has ended is given to a client that has waited for so long, in milliseconds (RFC 8767, 5). */
const stalePatienceMs = 1_800;

/** What one of those who wait is told: what upstreams said, or that nobody could be asked. */
type OnForwarded = (forwarded: Forwarded | Error) => void;

/** Those who wait for the answer to one question. */
type Waiting = OnForwarded[];

/** What a query comes to that somebody else has to answer. */
type OnAnswer = (answer: Buffer | undefined, source: AnswerSource) => void;

/** One for all clients. */
export class Answerer {
  readonly #options: AnswererOptions;
  readonly #deps: AnswererDependencies;
  readonly #limit: ClientLimit;
  /** Equal questions wait for one answer. */
  readonly #asking = new Map<string, Waiting>();
  #generation = 0;

  constructor(options: AnswererOptions, deps: AnswererDependencies) {
    this.#options = options;
    this.#deps = deps;
    this.#limit = new ClientLimit({ perClient: options.clientQueries, all: maxOpen });
  }

  /** Queries that wait for an upstream. */
  get open(): number {
    return this.#limit.open;
  }

  /** The upstream servers have changed: what those from before said, or still say, is for nobody who asks from now on. */
  changed(): void {
    this.#generation += 1;
    this.#asking.clear();
    this.#deps.cache.clear();
  }

  /** The answer, at once where it is known; undefined for what gets none. */
  answer(message: Buffer, client: Client): Buffer | undefined | Promise<Buffer> {
    const query = readQuery(message);
    if (query.kind === "ignored") return undefined;
    if (query.kind === "bad") return this.#empty(message, query.rcode, "malformed");
    if (asksServerId(query)) {
      this.#deps.answered("own");
      return writeServerId(message, query, this.#options.serverId);
    }
    const table = this.#deps.table.current;
    if (table === undefined && this.#deps.isGated()) return this.#empty(message, rcode.servFail, "no table");
    const verdict = askTable(table, query, this.#deps.config().search);
    const most = client.overTcp ? maxMessageBytes : query.udpBytes;
    const { style } = this.#options;
    if (verdict.kind === "addresses") {
      this.#deps.answered("table");
      return writeAnswer(message, query, verdict.found, style, most);
    }
    if (verdict.kind === "names") {
      this.#deps.answered("table");
      return truncated(writeNames(message, query, verdict.names, style.ttl), most);
    }
    return this.#elsewhere(message, query, client, verdict.found !== undefined, most);
  }

  #empty(message: Buffer, code: number, source: AnswerSource): Buffer {
    this.#deps.answered(source);
    return emptyReply(message, code);
  }

  #failed(message: Buffer, { edns }: Query, source: AnswerSource): Buffer {
    const failure = this.#empty(message, rcode.servFail, source);
    return edns === undefined ? failure : withOpt(failure);
  }

  #elsewhere(
    message: Buffer,
    query: Query,
    client: Client,
    isKnown: boolean,
    most: number,
  ): Buffer | Promise<Buffer> {
    const key = cacheKeyOf(message, query);
    const kept = key === undefined ? undefined : this.#deps.cache.take(key, performance.now());
    const finish = (answer: Buffer, source: AnswerSource): Buffer => {
      this.#deps.answered(source);
      return finished(answer, message, query, isKnown, most);
    };
    if (kept !== undefined) return finish(kept, "cache");
    if (this.#limit.open > 0 && this.#deps.forwarder.hasSent(client.port, message))
      return this.#empty(message, rcode.servFail, "loop");
    if (!this.#limit.enter(client.address)) return this.#empty(message, rcode.refused, "limit");
    return new Promise((resolve, reject) => {
      const onAnswer: OnAnswer = (answer, source) => {
        this.#limit.leave(client.address);
        const reply = attempt(() =>
          answer === undefined ? this.#failed(message, query, source) : finish(answer, source),
        );
        if (reply instanceof Error) reject(reply);
        else resolve(reply);
      };
      this.#forward(message, query, client, key, onAnswer, (error) => {
        this.#limit.leave(client.address);
        reject(new Error(`a query could not be forwarded: ${error.message}`, { cause: error }));
      });
    });
  }

  /** What an upstream says, or what one said before. */
  #forward(
    message: Buffer,
    query: Query,
    { overTcp }: Client,
    key: string | undefined,
    onAnswer: OnAnswer,
    onError: (error: Error) => void,
  ): void {
    const { cache } = this.#deps;
    const stale = (): Buffer | undefined =>
      key === undefined ? undefined : cache.takeStale(key, performance.now());
    let isOver = false;
    const end = (answer: Buffer | undefined, source: AnswerSource): void => {
      isOver = true;
      patience?.cancel();
      onAnswer(answer, source);
    };
    const patience =
      stale() === undefined
        ? undefined
        : new Timer(stalePatienceMs, () => {
            const old = stale();
            if (old !== undefined) end(old, "stale");
          });
    const question = { message, questionEnd: query.questionEnd, hasEdns: query.edns !== undefined, overTcp };
    this.#ask(question, key, (forwarded) => {
      if (isOver) return;
      if (forwarded instanceof Error) {
        patience?.cancel();
        onError(forwarded);
        return;
      }
      const old = forwarded.isGood ? undefined : stale();
      if (old !== undefined) end(old, "stale");
      // Others who wait for it write their own question into it.
      else end(forwarded.message && Buffer.from(forwarded.message), forwarded.isGood ? "upstream" : "failed");
    });
  }

  #ask(question: Question, key: string | undefined, onForwarded: OnForwarded): void {
    const same = key === undefined || !question.overTcp ? key : `tcp ${key}`;
    const open = same === undefined ? undefined : this.#asking.get(same);
    if (open !== undefined) {
      open.push(onForwarded);
      return;
    }
    const waiting: Waiting = [onForwarded];
    if (same !== undefined) this.#asking.set(same, waiting);
    const generation = this.#generation;
    const tell = (forwarded: Forwarded | Error): void => {
      if (same !== undefined && generation === this.#generation) this.#asking.delete(same);
      for (const one of waiting) one(forwarded);
    };
    const keep = (forwarded: Forwarded): Forwarded => {
      const isKept = key !== undefined && generation === this.#generation;
      if (isKept && forwarded.isGood && forwarded.message !== undefined)
        this.#deps.cache.put(key, forwarded.message, performance.now());
      return forwarded;
    };
    this.#deps.forwarder
      .forward(question)
      .then(keep)
      .then(tell, (error: unknown) => {
        tell(error instanceof Error ? error : new Error(errorMessage(error)));
      });
  }
}

/** What it throws is a value: others wait for the same answer, and it may suit them. */
function attempt(make: () => Buffer): Buffer | Error {
  try {
    return make();
  } catch (error) {
    return error instanceof Error ? error : new Error(errorMessage(error));
  }
}

/** As this client is to get it. */
function finished(answer: Buffer, message: Buffer, query: Query, isKnown: boolean, most: number): Buffer {
  const own = undisguised(answer, message, query.questionEnd);
  own[2] = ((own[2] ?? 0) & 0xfe) | ((message[2] ?? 0) & 0x01);
  // A name of the mesh exists, whatever an upstream says that does not know of it.
  if (isKnown && ((own[3] ?? 0) & 0x0f) === rcode.nxDomain) own[3] = (own[3] ?? 0) & 0xf0;
  return truncated(own, most);
}
