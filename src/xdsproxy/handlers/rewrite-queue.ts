/**
 * Responses of a type on their way to Envoy, some of whose resources have to be rewritten first.
 *
 * They stay in their own order and keep no other type back. What a later response says of a resource makes the
 * earlier one's work for it needless: it is stopped, and the resource is left out of the earlier response. In
 * state of the world a later response replaces the earlier one whole. Only so many may wait; then the control
 * plane has to.
 *
 * What was sent as a stand-in is followed by a response of the agent's own when the real thing is there.
 */
import { errorMessage } from "../../lifecycle/error-message.ts";
import type { TaskGroup } from "../../lifecycle/task-group.ts";
import {
  type AdsProtocol,
  type RequestFacts,
  resourcesField,
  type ResponseFacts,
} from "../../xds/protocol.ts";
import type { ResponseSource } from "../report/recorder.ts";
import type { ResourceRewriter, Rewriting } from "./resource-handler.ts";
import { type Edit, editField } from "../../xds/wire-edit.ts";

/** A response on its way. */
export interface RelayedResponse {
  readonly message: Buffer;
  readonly facts: ResponseFacts;
  readonly source: ResponseSource;
  /** Send this to whoever sent the response. */
  readonly answer: (request: Buffer) => void;
}

/** What a queue works with. */
export interface RewriteQueueDependencies {
  readonly protocol: AdsProtocol;
  readonly typeUrl: string;
  readonly rewriting: Rewriting;
  readonly forward: (message: Buffer, facts: ResponseFacts, source: ResponseSource) => Promise<void>;
  readonly refused: (typeUrl: string, reason: string) => void;
  /** The nonce of a response of the agent's own. */
  readonly nextNonce: () => string;
  readonly tasks: TaskGroup;
  /** Names the stream's tasks. */
  readonly number: number;
}

/** What becomes of a resource in its response, and afterwards. */
type Outcome =
  | { readonly edit: Edit; readonly later?: Promise<Uint8Array | undefined> }
  | { readonly edit: undefined; readonly reason: string };

interface Item {
  readonly name: string;
  /** Aborts when a later response has the resource; undefined when there is nothing to do for it. */
  readonly needless: AbortController | undefined;
  readonly outcome: Promise<Outcome>;
}

interface Waiting extends RelayedResponse {
  readonly items: readonly Item[];
  isReplaced: boolean;
}

/** Responses that may wait, and their bytes. */
const limits = { responses: 16, bytes: 16_777_216 } as const;

const keep: Outcome = { edit: { kind: "keep" } };
const drop: Outcome = { edit: { kind: "drop" } };

/** The queue of one type on one stream. */
export class RewriteQueue {
  readonly #deps: RewriteQueueDependencies;
  readonly #ended: AbortSignal;
  readonly #waiting: Waiting[] = [];
  #room = Promise.withResolvers<void>();
  #bursts = 0;
  #resources = 0;
  /** Undefined until there is something to rewrite on this stream. */
  #rewriter: ResourceRewriter | undefined;
  /** What Envoy asks for, which a refusal in state of the world has to repeat. */
  #asked: Pick<RequestFacts, "names" | "version"> = { names: [], version: "" };
  /** Ends the wait for what comes later, by resource. */
  readonly #later = new Map<string, AbortController>();
  /** Names of the last response, in state of the world. */
  #last: readonly string[] = [];

  /** @param ended aborts when Envoy is gone or the proxy closes */
  constructor(deps: RewriteQueueDependencies, ended: AbortSignal) {
    this.#deps = deps;
    this.#ended = ended;
  }

  /** Envoy asks for resources of the type, or answers a response of them. */
  requested(facts: RequestFacts): void {
    this.#asked = facts;
  }

  /** Take a response; waits while too many do. */
  async take(response: RelayedResponse): Promise<void> {
    const { message, facts, source } = response;
    if (this.#rewriter === undefined && !this.#deps.rewriting.concerns(message)) {
      await this.#deps.forward(message, facts, source);
      return;
    }
    while (this.#isFull() && !this.#ended.aborted) await this.#room.promise;
    if (this.#ended.aborted) return;
    const rewriter = (this.#rewriter ??= await this.#deps.rewriting.load());
    const items = facts.resources.map((view) => this.#begin(view, rewriter));
    this.#supersede(items, facts, rewriter);
    this.#enqueue({ ...response, items, isReplaced: false });
  }

  #enqueue(waiting: Waiting): void {
    this.#waiting.push(waiting);
    if (this.#waiting.length > 1) return;
    this.#bursts += 1;
    this.#spawn(`rewritten-${this.#bursts}`, () => this.#drain());
  }

  #spawn(name: string, task: () => Promise<void>): void {
    const { tasks, number, typeUrl } = this.#deps;
    tasks.spawn(`${name}-of-stream-${number}-${typeUrl}`, task);
  }

  #isFull(): boolean {
    const bytes = this.#waiting.reduce((sum, { message }) => sum + message.length, 0);
    return this.#waiting.length >= limits.responses || bytes >= limits.bytes;
  }

  #begin(view: Uint8Array, rewriter: ResourceRewriter): Item {
    const name = this.#deps.protocol.nameOf(view);
    if (!this.#deps.rewriting.concerns(view))
      return { name, needless: undefined, outcome: Promise.resolve(keep) };
    const needless = new AbortController();
    const { promise: outcome, resolve } = Promise.withResolvers<Outcome>();
    this.#resources += 1;
    this.#spawn(`rewrite-${this.#resources}`, async () => {
      resolve(await this.#rewrite(view, rewriter, needless.signal));
    });
    return { name, needless, outcome };
  }

  /** Never rejects: what came from the network is refused, whatever is wrong with it. */
  async #rewrite(view: Uint8Array, rewriter: ResourceRewriter, needless: AbortSignal): Promise<Outcome> {
    const { protocol } = this.#deps;
    try {
      const signal = AbortSignal.any([needless, this.#ended]);
      const rewritten = await rewriter.rewrite(protocol.valueOf(view), signal);
      if (rewritten.kind === "unchanged") return keep;
      if (rewritten.kind === "refused") return { edit: undefined, reason: rewritten.reason };
      const { resource, later } = rewritten;
      const edit: Edit = { kind: "replace", value: protocol.withValue(view, resource) };
      if (later === undefined) return { edit };
      const withLater = (bytes: Uint8Array | undefined): Uint8Array | undefined =>
        bytes === undefined ? undefined : protocol.withValue(view, bytes);
      return { edit, later: later.then(withLater) };
    } catch (error) {
      return { edit: undefined, reason: errorMessage(error) };
    }
  }

  #supersede(items: readonly Item[], { removed }: ResponseFacts, rewriter: ResourceRewriter): void {
    const names = items.map(({ name }) => name);
    const { isDelta } = this.#deps.protocol;
    const said = new Set([...names, ...removed]);
    for (const [name, wait] of this.#later) {
      if (isDelta && !said.has(name)) continue;
      wait.abort();
      this.#later.delete(name);
    }
    for (const earlier of this.#waiting) {
      if (!isDelta) earlier.isReplaced = true;
      for (const { name, needless } of earlier.items) if (!isDelta || said.has(name)) needless?.abort();
    }
    if (isDelta) {
      rewriter.retire(removed);
      return;
    }
    rewriter.retire(this.#last.filter((name) => !said.has(name)));
    this.#last = names;
  }

  /** Forward what waits, in order, each once everything of it is there. */
  async #drain(): Promise<void> {
    for (let next = this.#waiting[0]; next !== undefined && !this.#ended.aborted; next = this.#waiting[0]) {
      await Promise.all(next.items.map(({ outcome }) => outcome));
      if (this.#ended.aborted) break;
      if (!next.isReplaced) await this.#settle(next);
      this.#waiting.shift();
      this.#makeRoom();
    }
    if (this.#ended.aborted) this.#makeRoom();
  }

  #makeRoom(): void {
    this.#room.resolve();
    this.#room = Promise.withResolvers<void>();
  }

  async #settle({ message, facts, source, items, answer }: Waiting): Promise<void> {
    const { protocol, forward, refused } = this.#deps;
    const reasons: string[] = [];
    const edits: Edit[] = [];
    const stoodIn: (() => void)[] = [];
    for (const { name, needless, outcome } of items) {
      const settled = needless?.signal.aborted === true ? drop : await outcome;
      if (settled.edit === undefined) {
        reasons.push(settled.reason);
        continue;
      }
      edits.push(settled.edit);
      const { later } = settled;
      if (later === undefined || needless === undefined) continue;
      this.#later.set(name, needless);
      stoodIn.push(() => {
        this.#follow(name, needless, later, facts);
      });
    }
    if (reasons.length > 0) {
      for (const { needless } of items) needless?.abort();
      const error = reasons.join("; ");
      refused(facts.typeUrl, error);
      const subscription = protocol.isDelta ? {} : this.#asked;
      answer(protocol.writeRequest({ ...subscription, typeUrl: facts.typeUrl, nonce: facts.nonce, error }));
      return;
    }
    const edited = editField(message, resourcesField, (index) => edits[index] ?? { kind: "keep" });
    await forward(edited, protocol.readResponse(edited), source);
    for (const follow of stoodIn) follow();
  }

  /** Send what a resource is to be, once it is there and unless the control plane has said something else of it. */
  #follow(
    name: string,
    wait: AbortController,
    later: Promise<Uint8Array | undefined>,
    { typeUrl, version }: ResponseFacts,
  ): void {
    const { protocol, nextNonce } = this.#deps;
    const nonce = nextNonce();
    this.#spawn(`later-${nonce}`, async () => {
      const view = await later;
      if (view === undefined || wait.signal.aborted || this.#ended.aborted) return;
      this.#later.delete(name);
      const resources = [protocol.readResource(view, version)];
      const message = protocol.writeResponse({ typeUrl, nonce, version, resources, removed: [] });
      this.#enqueue({
        ...{ message, facts: protocol.readResponse(message), source: "control plane" },
        items: [{ name, needless: wait, outcome: Promise.resolve(keep) }],
        isReplaced: false,
        answer: () => undefined,
      });
    });
  }
}
