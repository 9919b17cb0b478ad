/**
 * What one proxy has refused of one type, and what it has in its place: what it had before. Who of a refused response is
 * to blame, and is not named, is found out by parts of it: what is still to be tried is held back as well.
 */
import type { VersionedResource } from "../../xds/delta-subscription.ts";
import { blamedNames, mentions } from "./blamed-names.ts";
import type { Had } from "./client-state.ts";
import type { ResourceSet } from "./layer.ts";
import type { SentResponse } from "./sent-responses.ts";

/** A resource that a proxy is not sent. */
export interface Held {
  readonly resource: VersionedResource;
  /** Envoy's words. */
  readonly reason: string;
  /** It is to blame; otherwise it is still to be tried. */
  readonly isRefused: boolean;
  /** What the proxy has in its place, as far as its bytes are known. */
  readonly standIn: VersionedResource | undefined;
  /** What it said that it had, of which nothing else is known. */
  readonly brought: Had | undefined;
}

/** What the proxy is known to have: the subscription keeps it. */
export interface KnownState {
  readonly has: (name: string, had: Had) => void;
  readonly resend: (names: ReadonlySet<string>) => void;
}

/** Where a last good resource may be found that this proxy never had. */
export interface LastGood {
  readonly find: (name: string) => VersionedResource | undefined;
  readonly keep: (resource: VersionedResource) => void;
}

/** Parts that are tried for one response before the rest is taken to be refused. */
const maxTries = 64;

/** Of one type. */
export class HeldResources {
  readonly #held = new Map<string, Held>();
  /** Names that are still to be tried, in groups. */
  readonly #groups: (readonly string[])[] = [];
  readonly #state: KnownState;
  readonly #lastGood: LastGood;
  #tries = 0;

  constructor(state: KnownState, lastGood: LastGood) {
    this.#state = state;
    this.#lastGood = lastGood;
  }

  /** What is refused. */
  get refused(): readonly Held[] {
    return [...this.#held.values()].filter(({ isRefused }) => isRefused);
  }

  /**
   * The proxy has refused a response.
   *
   * @param newest what it is to have by now
   * @returns those that are to blame, as far as that is known
   */
  take(sent: SentResponse, error: string, newest: ResourceSet): readonly Held[] {
    this.#dropRefusedStandIns(sent.changed);
    const suspects = sent.changed.filter(({ name, version }) => newest.get(name)?.version === version);
    const blamed = blamedNames(
      suspects.map(({ name }) => name),
      error,
    );
    if (blamed.size > 0) {
      // Envoy has taken the others.
      return suspects.flatMap((resource) => {
        const reason = blamed.get(resource.name);
        return reason === undefined ? [] : [this.#hold(resource, sent, reason, true)];
      });
    }
    // Nothing of the response counts: what it took away is there as well.
    for (const name of sent.removed) {
      const had = sent.before(name);
      if (had !== undefined) this.#state.has(name, had);
    }
    const isFound = suspects.length === 1 || this.#tries >= maxTries;
    const held = suspects.map((resource) => this.#hold(resource, sent, error, isFound));
    if (isFound) return held;
    if (suspects.length > 0) this.#groups.unshift(...inParts(suspects, error));
    return [];
  }

  /** Release the next part that is to be tried. False when there is none: a search is over. */
  release(): boolean {
    const group = this.#groups.shift();
    this.#tries = group === undefined ? 0 : this.#tries + 1;
    for (const name of group ?? []) {
      const held = this.#held.get(name);
      if (held?.isRefused !== false) continue;
      this.#held.delete(name);
      if (held.brought !== undefined) this.#state.has(name, held.brought);
    }
    return group !== undefined;
  }

  /** What the proxy is to have. What is other than what it refused is sent. */
  over(resources: ResourceSet): ResourceSet {
    for (const [name, { resource }] of this.#held)
      if (resources.get(name)?.version !== resource.version) this.#held.delete(name);
    const shown = [...this.#held].filter(([, { brought }]) => brought === undefined);
    return resources.with(new Map(shown.map(([name, { standIn }]) => [name, standIn])));
  }

  /** What was well for another proxy is not for this one. */
  #dropRefusedStandIns(resources: readonly VersionedResource[]): void {
    for (const { name, version } of resources) {
      const held = this.#held.get(name);
      if (held?.standIn?.version !== version) continue;
      this.#held.set(name, { ...held, standIn: undefined });
      this.#state.resend(new Set([name]));
    }
  }

  #hold(resource: VersionedResource, sent: SentResponse, reason: string, isRefused: boolean): Held {
    const { name, version } = resource;
    const before = sent.before(name);
    const own = before?.resource;
    const brought = before !== undefined && own === undefined ? before : undefined;
    const isMissing = before === undefined && isRefused;
    const standIn = own ?? (isMissing ? this.#lastGood.find(name) : undefined);
    if (own !== undefined && isRefused) this.#lastGood.keep(own);
    if (own !== undefined) this.#state.has(name, { version: own.version, resource: own });
    // It has something, and is not to be told that it is to have nothing: as if it had what it refused.
    else if (brought !== undefined) this.#state.has(name, { version });
    else this.#state.resend(new Set([name]));
    const held = { resource, reason, isRefused, standIn, brought };
    this.#held.set(name, held);
    return held;
  }
}

/** Those that are not mentioned first: they are likely to be well. */
function inParts(suspects: readonly VersionedResource[], error: string): (readonly string[])[] {
  const names = suspects.map(({ name }) => name);
  const mentioned = new Set(names.filter((name) => mentions(error, name)));
  if (mentioned.size > 0 && mentioned.size < names.length)
    return [names.filter((name) => !mentioned.has(name)), [...mentioned]];
  const middle = Math.ceil(names.length / 2);
  return [names.slice(0, middle), names.slice(middle)];
}
