/**
 * Sees to it that a resource which Envoy refuses costs itself only, on one stream.
 *
 * An Envoy keeps what it had of a name when it refuses something newer; one that has just started has nothing. It is
 * led the way of the one before it: first what that one accepted, then what the control plane says now, which it may
 * refuse as that one did. What nobody could foresee is given after the refusal. The control plane hears Envoy's own
 * answers to its own responses, and nothing of the agent's.
 */
import { errorMessage } from "../lifecycle/error-message.ts";
import type { TaskGroup } from "../lifecycle/task-group.ts";
import type { Logger } from "../telemetry/log.ts";
import { redactText } from "../telemetry/redact.ts";
import { wildcardTypes } from "../xds/type-urls.ts";
import type { AcceptedResources, AcceptedType } from "./accepted-resources.ts";
import { isolate, type Isolated, type PartAnswer } from "./isolation.ts";
import type { OwnResponses } from "./own-response.ts";
import { AgentResponses } from "./agent-responses.ts";
import type { AdsProtocol, RequestFacts, ResponseFacts } from "./protocol.ts";
import type { ResponseSource } from "./recorder.ts";
import type { Refusal, Refusals } from "./refusals.ts";
import { entriesOf, RefusedResponse, type ResponseEntry } from "./refused-response.ts";
import type { Answered, StreamObserver } from "./stream-observer.ts";

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

/** What went before a response of the control plane. */
interface Lead {
  /** Refused by an Envoy before this one. */
  readonly names: ReadonlySet<string>;
  /** Those of which there was an accepted one to give. */
  readonly given: ReadonlySet<string>;
  readonly isAccepted: Promise<boolean>;
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
  /** Names by type that Envoy has accepted on this stream, of types that are not kept whole. */
  readonly #acceptedNames = new Map<string, Set<string>>();
  /** Types of which Envoy has accepted something on this stream. */
  readonly #acceptedTypes = new Set<string>();
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
  }

  /** Envoy asks for something, or answers. */
  requested({ typeUrl, names, unsubscribed }: RequestFacts): void {
    const { protocol, number, refusals, accepted, isNewest } = this.#deps;
    if (!protocol.isDelta) this.#asked.set(typeUrl, names);
    // An Envoy on its way out gives up what the one after it goes on using.
    if (!isNewest()) return;
    if (unsubscribed.length > 0) {
      accepted.drop(typeUrl, unsubscribed);
      refusals.forget(number, typeUrl, unsubscribed);
    }
    const refused = refusals.namesOf(typeUrl);
    if (refused === undefined || protocol.isDelta || wildcardTypes.has(typeUrl)) return;
    const wanted = new Set(names);
    refusals.forget(
      number,
      typeUrl,
      [...refused].filter((name) => name !== "" && !wanted.has(name)),
    );
  }

  /** A response is about to go to Envoy: what has to go before it goes now. Never rejects. */
  async lead(response: ResponseFacts, source: ResponseSource): Promise<void> {
    const { protocol, observer, refusals, accepted, number, log } = this.#deps;
    const { typeUrl } = response;
    const refused = source === "control plane" ? refusals.namesOf(typeUrl) : undefined;
    if (refused === undefined || observer.hasEarlier(typeUrl)) return;
    try {
      const seen = this.#seenOf(typeUrl);
      const entries = entriesOf(protocol, response);
      const due = new Set(
        entries.flatMap(({ name }) => (refused.has(name) && !seen.has(name) ? [name] : [])),
      );
      const known = due.size === 0 ? undefined : await accepted.of(typeUrl);
      if (known === undefined || !this.#mayReplace(typeUrl)) return;
      for (const name of due) seen.add(name);
      const resources = entries.flatMap(({ name, resource }) =>
        due.has(name) ? (known.get(name) ?? []) : [resource()],
      );
      if (resources.length === 0) return;
      const given = new Set([...due].filter((name) => known.get(name) !== undefined));
      const { version } = known;
      const { removed } = response;
      const isAccepted = this.#responses
        .send({ typeUrl, version, resources, removed })
        .then(({ answer, full, goesToCache }) => {
          if (answer !== "accepted") return false;
          const isWhole = full && areRestored(due, given, known);
          accepted.acknowledged(
            { typeUrl, full: isWhole, version, changed: resources, removed },
            goesToCache,
          );
          return true;
        });
      this.#leads.set(response.nonce, { names: due, given, isAccepted });
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
    const { refusals, protocol, number, tasks } = this.#deps;
    const refused = refusals.namesOf(typeUrl);
    if (refused !== undefined && source === "control plane") {
      const names = entriesOf(protocol, response).map(({ name }) => name);
      const isHere = new Set(names);
      const absent = full ? [...refused].filter((name) => name !== "" && !isHere.has(name)) : [];
      refusals.forget(number, typeUrl, [...removed, ...absent]);
      if (error === undefined) refusals.accept(number, typeUrl, names);
    }
    const lead = this.#leads.get(nonce);
    this.#leads.delete(nonce);
    if (error === undefined) {
      this.#acceptedTypes.add(typeUrl);
      if (!goesToCache) this.#noteNames(response);
      return;
    }
    const hadBefore = this.#deps.observer.hasEarlier(typeUrl) || this.#acceptedTypes.has(typeUrl);
    const run = new RefusedResponse(protocol, answered);
    // What came after it was on its way before it was refused.
    for (const later of this.#deps.observer.unanswered(typeUrl)) run.isFollowedBy(later);
    this.#running.add(run);
    this.#tasks += 1;
    tasks.spawn(`refusal-${this.#tasks}-of-stream-${number}`, async () => {
      using _ = refusals.unsettled(number);
      // One at a time: each holds what was accepted of the type, which may be large.
      const before = this.#mending.get(typeUrl);
      const mended = (before ?? Promise.resolve()).then(() => this.#mend(run, error, lead, hadBefore));
      this.#mending.set(typeUrl, mended);
      await mended;
      this.#running.delete(run);
    });
  }

  /** Find out what is refused, give Envoy the rest of the response and the last accepted, and tell. Never rejects. */
  async #mend(run: RefusedResponse, error: string, led: Lead | undefined, hadBefore: boolean): Promise<void> {
    if (run.isOver) return;
    const { typeUrl } = run;
    const lead = (await led?.isAccepted) === true ? led : undefined;
    let suspects: readonly ResponseEntry[] = run.entries.filter(({ name }) => lead?.names.has(name) ?? true);
    let known: AcceptedType | undefined;
    let found: Isolated<ResponseEntry> = { refused: [], accepted: [], unknown: suspects };
    let given: ReadonlySet<string> | undefined;
    try {
      known = await this.#deps.accepted.of(typeUrl);
      const isNew = wildcardTypes.has(typeUrl) && known === undefined && !hadBefore;
      // Of an Envoy without a predecessor, readiness is to say what it lacks.
      if (!isNew && this.#mayReplace(typeUrl) && (!hadBefore || run.canSpare(known))) {
        if (hadBefore) suspects = changedOf(suspects, known);
        const suspected = new Set(suspects);
        run.trust(run.entries.filter((entry) => !suspected.has(entry)));
        found = await isolate(
          suspects,
          ({ name }) => name !== "" && error.includes(name),
          (part) => this.#attempt(run, part, known),
          run.maxTries,
        );
        if (found.unknown.length === 0 && !run.isReplaced) given = await this.#give(run, found, known, lead);
      }
    } catch (problem) {
      this.#deps.log.debug("a refused response could not be taken apart", {
        type: typeUrl,
        reason: errorMessage(problem),
      });
    }
    if (run.isReplaced) return;
    const blamed = [...found.refused, ...blamedOf(found.unknown, error)];
    this.#tell(run, { blamed, found, known, given, error });
  }

  async #attempt(
    run: RefusedResponse,
    part: readonly ResponseEntry[],
    known: AcceptedType | undefined,
  ): Promise<PartAnswer> {
    if (run.isReplaced) return "void";
    const next = run.attempt(part, known);
    if (next === undefined) return "accepted";
    const { answer } = await this.#responses.send(next);
    if (run.isReplaced) return "void";
    if (answer === "accepted") {
      run.took(part);
      this.#keep(run, part, known);
    }
    return answer;
  }

  /** What Envoy has accepted of a response is kept at once: a later response may leave no time to do it in the end. */
  #keep(run: RefusedResponse, part: readonly ResponseEntry[], known: AcceptedType | undefined): void {
    if (run.source !== "control plane") return;
    const { typeUrl, goesToCache } = run;
    const changed = part.filter(({ name }) => !run.isSuperseded(name)).map(({ resource }) => resource());
    const version = known?.version ?? "";
    this.#deps.accepted.acknowledged({ typeUrl, full: false, version, changed, removed: [] }, goesToCache);
  }

  /** Names that Envoy has been given the last accepted resource of; undefined when it would not take them. */
  async #give(
    run: RefusedResponse,
    { refused }: Isolated<ResponseEntry>,
    known: AcceptedType | undefined,
    lead: Lead | undefined,
  ): Promise<ReadonlySet<string> | undefined> {
    const names = new Set(run.replaceable(refused, known).map(({ name }) => name));
    const isLed = lead !== undefined && [...names].every((name) => lead.given.has(name));
    if (isLed && !run.wasTried) return names;
    const next = run.end(refused, known);
    if (next === undefined) return names;
    const { answer } = await this.#responses.send(next);
    return answer === "accepted" ? names : undefined;
  }

  #tell(
    run: RefusedResponse,
    outcome: {
      readonly blamed: readonly ResponseEntry[];
      readonly found: Isolated<ResponseEntry>;
      readonly known: AcceptedType | undefined;
      /** Undefined when it is not known what Envoy was left with. */
      readonly given: ReadonlySet<string> | undefined;
      readonly error: string;
    },
  ): void {
    const { accepted, refusals, number, log } = this.#deps;
    const { blamed, found, known, given: settled, error } = outcome;
    const given = settled ?? new Set();
    // Envoy may print what it was sent, and all of it.
    const words = redactText(error);
    const reason = words.length <= maxReason ? words : `${words.slice(0, maxReason)}…`;
    const { typeUrl, source, goesToCache, full } = run;
    const good = found.accepted.filter(({ name }) => !run.isSuperseded(name));
    if (source === "control plane" && settled !== undefined) {
      const kept = [...given].flatMap((name) => known?.get(name) ?? []);
      const trusted = full ? run.trusted : good;
      const changed = [...trusted.map(({ resource }) => resource()), ...kept];
      const names = blamed.map(({ name }) => name);
      const isWhole = full && found.unknown.length === 0 && areRestored(names, given, known);
      const { removed } = run;
      accepted.acknowledged(
        { typeUrl, full: isWhole, version: known?.version ?? "", changed, removed },
        goesToCache,
      );
      refusals.accept(
        number,
        typeUrl,
        good.map(({ name }) => name),
      );
    }
    if (blamed.length === 0)
      log.warn("Envoy refused a response, and none of its resources alone", { type: typeUrl, reason });
    const seen = this.#seenOf(typeUrl);
    const told = blamed.filter(({ name }) => !run.isSuperseded(name));
    for (const { name } of told) seen.add(name);
    refusals.refuse(
      number,
      told.map(({ name, ...entry }): Refusal => {
        const last = known?.get(name);
        const wasAccepted = known?.has(name) === true;
        // An Envoy that refuses the very thing which another accepted has nothing to keep.
        const isSame = last !== undefined && entry.isLike(last);
        const keepsOwn = wasAccepted && this.#hadBefore(run, name) && !isSame;
        return {
          ...{ typeUrl, name, reason, since: new Date(), wasAccepted },
          serves: given.has(name) || keepsOwn ? "last accepted" : "nothing",
          isKept: last !== undefined,
        };
      }),
    );
  }

  #noteNames(response: ResponseFacts): void {
    const { typeUrl, removed } = response;
    const names = this.#acceptedNames.get(typeUrl) ?? new Set<string>();
    this.#acceptedNames.set(typeUrl, names);
    for (const { name } of entriesOf(this.#deps.protocol, response)) names.add(name);
    for (const name of removed) names.delete(name);
  }

  /** True when Envoy had something of this name before, which it keeps. */
  #hadBefore({ typeUrl, goesToCache }: RefusedResponse, name: string): boolean {
    if (this.#deps.observer.hasEarlier(typeUrl)) return true;
    return goesToCache
      ? this.#acceptedTypes.has(typeUrl)
      : this.#acceptedNames.get(typeUrl)?.has(name) === true;
  }

  #seenOf(typeUrl: string): Set<string> {
    let seen = this.#seen.get(typeUrl);
    if (seen === undefined) {
      seen = new Set();
      this.#seen.set(typeUrl, seen);
    }
    return seen;
  }

  /** In state of the world a client that names what it wants of a type takes what is not there for deleted. */
  #mayReplace(typeUrl: string): boolean {
    const { isDelta } = this.#deps.protocol;
    return isDelta || !wildcardTypes.has(typeUrl) || (this.#asked.get(typeUrl) ?? []).length === 0;
  }
}

/** False when an Envoy has accepted one of these that this one does not have: it is not to be forgotten for that. */
function areRestored(
  names: Iterable<string>,
  given: ReadonlySet<string>,
  known: AcceptedType | undefined,
): boolean {
  return [...names].every((name) => given.has(name) || known?.has(name) !== true);
}

/** Those that Envoy did not have already; all of them when there are none. */
function changedOf(
  entries: readonly ResponseEntry[],
  known: AcceptedType | undefined,
): readonly ResponseEntry[] {
  const changed = entries.filter((entry) => {
    const last = known?.get(entry.name);
    return last === undefined || !entry.isLike(last);
  });
  return changed.length > 0 ? changed : entries;
}

/** The resources that Envoy names in its refusal, or else all of them. */
function blamedOf(entries: readonly ResponseEntry[], error: string): readonly ResponseEntry[] {
  const named = entries.filter(({ name }) => name !== "" && error.includes(name));
  return named.length > 0 ? named : entries;
}
