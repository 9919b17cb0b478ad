/**
 * Sees to it that a resource which Envoy refuses costs itself only, on one stream.
 *
 * An Envoy keeps what it had of a name when it refuses something newer; one that has just started has nothing. It is
 * led the way of the one before it: first what that one accepted, then what the control plane says now, which it may
 * refuse as that one did. What nobody could foresee is given after the refusal. The control plane hears Envoy's own
 * answers to its own responses, and nothing of the agent's.
 */
import { errorMessage } from "../../lifecycle/error-message.ts";
import type { TaskGroup } from "../../lifecycle/task-group.ts";
import type { Logger } from "../../telemetry/log.ts";
import { redactText } from "../../telemetry/redact.ts";
import type { AcceptedResources } from "../cache/accepted-resources.ts";
import { leadOf, namesDue } from "./lead.ts";
import { type Lead, mend, type Mended } from "./mending.ts";
import { type AskedFacts, mayReplace, namesGivenUp, namesGone } from "./nack.ts";
import { outcomeOf } from "./outcome.ts";
import { areRestored, isSame } from "./older-resources.ts";
import type { OwnResponses } from "../../xds/own-response.ts";
import { AgentResponses } from "../downstream/agent-responses.ts";
import type { AdsProtocol, RequestFacts, ResponseFacts } from "../../xds/protocol.ts";
import { wildcardTypes } from "../../xds/type-urls.ts";
import type { ResponseSource } from "../report/recorder.ts";
import type { Refusals } from "./refusals.ts";
import { detached, entriesOf, RefusedResponse, type ResponseEntry } from "./refused-response.ts";
import type { Answered, StreamObserver } from "../downstream/stream-observer.ts";
import { StreamResources } from "./stream-resources.ts";
import { Undecided } from "./undecided.ts";

/** What it works with. */
export interface FallbackDependencies {
  readonly protocol: AdsProtocol;
  /** Number of the stream. */
  readonly number: number;
  readonly observer: StreamObserver;
  readonly accepted: AcceptedResources;
  readonly refusals: Refusals;
  readonly own: OwnResponses;
  readonly isNewest: () => boolean;
  readonly tasks: TaskGroup;
  readonly log: Logger;
  /** Send Envoy a response of the agent's. Rejects when Envoy is gone. */
  readonly send: (message: Buffer, facts: ResponseFacts) => Promise<void>;
}

/** Characters of Envoy's words that are kept for each resource. */
const maxReason = 1_024;

/** One stream. */
export class Fallback {
  readonly #deps: FallbackDependencies;
  readonly #responses: AgentResponses;
  /** By nonce of the response that they went before. */
  readonly #leads = new Map<string, Lead>();
  /** Names by type that have been led, or refused here. */
  readonly #seen = new Map<string, Set<string>>();
  readonly #resources: StreamResources;
  /** By type, of those of which a refused response has not been dealt with. */
  readonly #undecided = new Map<string, Undecided<ResponseEntry>>();
  /** Names that Envoy asks for, in state of the world. */
  readonly #asked = new Map<string, readonly string[]>();
  readonly #running = new Set<RefusedResponse>();
  /** The last one's end, by type. */
  readonly #mending = new Map<string, Promise<void>>();
  #tasks = 0;

  /** @param ended aborts when Envoy is gone or the proxy closes */
  constructor(deps: FallbackDependencies, ended: AbortSignal) {
    this.#deps = deps;
    this.#responses = new AgentResponses(deps, ended);
    this.#resources = new StreamResources(deps.protocol);
  }

  /** Envoy asks for something, or answers. */
  requested({ typeUrl, names, unsubscribed, known }: RequestFacts): void {
    const { protocol, number, refusals, accepted, isNewest } = this.#deps;
    const before = this.#asked.get(typeUrl);
    if (!protocol.isDelta) this.#asked.set(typeUrl, names);
    // What it has from an earlier stream it keeps; its first stream may have ended with only a part of what it asked for.
    for (const name of refusals.namesOf(typeUrl) ?? []) if (name in known) this.#seenOf(typeUrl).add(name);
    // An Envoy on its way out gives up what the one after it goes on using.
    if (!isNewest()) return;
    if (unsubscribed.length > 0) {
      accepted.drop(typeUrl, unsubscribed);
      refusals.forget(number, typeUrl, unsubscribed);
    }
    const refused = refusals.namesOf(typeUrl);
    if (refused === undefined) return;
    const { isDelta } = protocol;
    refusals.forget(number, typeUrl, namesGivenUp(refused, { typeUrl, isDelta, before, asked: names }));
  }

  /** A response is about to go to Envoy: what has to go before it goes now. Never rejects. */
  async lead(response: ResponseFacts, source: ResponseSource): Promise<void> {
    const { protocol, observer, refusals, accepted, number, tasks, log } = this.#deps;
    const { typeUrl } = response;
    const refused = source === "control plane" ? refusals.namesOf(typeUrl) : undefined;
    if (refused === undefined) return;
    const hasAll = !protocol.isDelta && wildcardTypes.has(typeUrl) && observer.hasEarlier(typeUrl);
    if (hasAll) return;
    try {
      const seen = this.#seenOf(typeUrl);
      const entries = entriesOf(protocol, response);
      const due = namesDue(entries, refused, seen);
      const known = due.size === 0 ? undefined : await accepted.of(typeUrl);
      if (known === undefined || !mayReplace(this.#askedOf(typeUrl))) return;
      for (const name of due) seen.add(name);
      const lead = leadOf(entries, due, known);
      if (lead === undefined) return;
      const { given, resources } = lead;
      const { version } = known;
      const { removed } = response;
      const { promise: isAccepted, resolve } = Promise.withResolvers<boolean>();
      this.#leads.set(response.nonce, { names: due, given, isAccepted });
      this.#tasks += 1;
      tasks.spawn(`lead-${this.#tasks}-of-stream-${number}`, async () => {
        const answer = await this.#responses.send(
          { typeUrl, version, resources, removed },
          ({ full, goesToCache }) => {
            const isWhole = full && areRestored(due, given, known);
            accepted.acknowledged(
              { typeUrl, full: isWhole, version, changed: resources, removed },
              goesToCache,
            );
          },
        );
        resolve(answer === "accepted");
      });
    } catch (error) {
      log.debug("what Envoy last accepted could not go first", {
        type: typeUrl,
        stream: number,
        reason: errorMessage(error),
      });
    }
  }

  /** A response of the control plane, or from the cache, goes to Envoy: what it says of a resource counts now. */
  passes(response: ResponseFacts): void {
    for (const running of this.#running) running.isFollowedBy(response);
  }

  /** Envoy has answered a response. */
  answered(answered: Answered): void {
    const { response, source, error, full, goesToCache } = answered;
    const { typeUrl, nonce, removed } = response;
    if (source === "agent") {
      this.#responses.answered(answered);
      return;
    }
    const { refusals, accepted, protocol, number, tasks, log } = this.#deps;
    const refused = refusals.namesOf(typeUrl);
    if (refused !== undefined && source === "control plane") {
      const names = entriesOf(protocol, response).map(({ name }) => name);
      refusals.forget(number, typeUrl, namesGone(refused, { names, removed, isFull: full }));
      if (error === undefined) refusals.accept(number, typeUrl, names);
    }
    const lead = this.#leads.get(nonce);
    this.#leads.delete(nonce);
    if (error === undefined) {
      this.#resources.accepted(response, goesToCache);
      this.#undecided
        .get(typeUrl)
        ?.decided(full ? undefined : [...entriesOf(protocol, response).map(({ name }) => name), ...removed]);
      this.#limitUndecided(typeUrl);
      return;
    }
    const hadBefore = this.#deps.observer.hasEarlier(typeUrl) || this.#resources.hasType(typeUrl);
    this.#tasks += 1;
    const run = new RefusedResponse(protocol, answered, this.#tasks);
    const undecided = this.#undecided.get(typeUrl) ?? new Undecided<ResponseEntry>(isSame);
    this.#undecided.set(typeUrl, undecided);
    const entries = run.entries.filter(({ name }) => name !== "").map(detached);
    undecided.refusedTogether({ entries, removed, isWhole: run.isWhole });
    // What came after it was on its way before it was refused.
    for (const later of this.#deps.observer.unanswered(typeUrl)) run.isFollowedBy(later);
    this.#running.add(run);
    tasks.spawn(`refusal-${this.#tasks}-of-stream-${number}`, async () => {
      using _ = refusals.unsettled(number);
      // One at a time: each holds what was accepted of the type, which may be large.
      const before = this.#mending.get(typeUrl);
      const mended = (before ?? Promise.resolve()).then(async () => {
        const facts = { error, lead, hadBefore, undecided, asked: () => this.#askedOf(typeUrl) };
        const findings = await mend(run, facts, { accepted, log, responses: this.#responses });
        if (findings !== undefined) this.#tell(run, { ...findings, error });
      });
      this.#mending.set(typeUrl, mended);
      await mended;
      this.#running.delete(run);
      this.#limitUndecided(typeUrl);
    });
  }

  /** Nothing is undecided once every refused response of the type has been dealt with, and none can follow. */
  #limitUndecided(typeUrl: string): void {
    if (this.#deps.observer.unanswered(typeUrl).length > 0) return;
    for (const running of this.#running) if (running.typeUrl === typeUrl) return;
    this.#undecided.delete(typeUrl);
  }

  #tell(run: RefusedResponse, findings: Mended & { readonly error: string }): void {
    const { accepted, refusals, number, log } = this.#deps;
    const { typeUrl, goesToCache } = run;
    // Envoy may print what it was sent, and all of it.
    const words = redactText(findings.error);
    const reason = words.length <= maxReason ? words : `${words.slice(0, maxReason)}…`;
    const {
      acknowledged,
      accepted: names,
      refusals: told,
    } = outcomeOf({
      ...{ ...findings, run, reason, at: new Date() },
      hadBefore: (name) => this.#hadBefore(run, name),
      isKept: accepted.keeps(typeUrl, goesToCache),
    });
    if (acknowledged !== undefined) {
      accepted.acknowledged(acknowledged, goesToCache);
      refusals.accept(number, typeUrl, names);
    }
    if (findings.blamed.length === 0)
      log.warn("Envoy refused a response, and none of its resources alone", { type: typeUrl, reason });
    const seen = this.#seenOf(typeUrl);
    for (const { name } of told) seen.add(name);
    refusals.refuse(number, told);
  }

  /** True when Envoy had something of this name before, which it keeps. */
  #hadBefore({ typeUrl, goesToCache }: RefusedResponse, name: string): boolean {
    const { observer } = this.#deps;
    return observer.hasEarlier(typeUrl) || this.#resources.hasName(typeUrl, name, goesToCache);
  }

  #seenOf(typeUrl: string): Set<string> {
    let seen = this.#seen.get(typeUrl);
    if (seen === undefined) {
      seen = new Set();
      this.#seen.set(typeUrl, seen);
    }
    return seen;
  }

  #askedOf(typeUrl: string): AskedFacts {
    return { typeUrl, isDelta: this.#deps.protocol.isDelta, asked: this.#asked.get(typeUrl) ?? [] };
  }
}
