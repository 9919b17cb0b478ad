/**
 * Responses of one stream that are still to be answered: what was in them, and what the proxy had before.
 */
import type { VersionedResource } from "../../xds/delta-subscription.ts";
import type { Had } from "./client-state.ts";
import type { Response } from "./protocol.ts";

/** A response. */
export type SentResponse = Pick<Response, "changed" | "removed" | "before">;

/** Of a type no more are kept: a proxy that answers none costs no memory. */
const most = 4;

interface Entry extends SentResponse {
  readonly nonce: string;
  /** What it had in truth, where that was refused meanwhile. */
  readonly corrected: Map<string, Had | undefined>;
}

/** By type URL and nonce. */
export class SentResponses {
  readonly #entries = new Map<string, Entry[]>();

  add(typeUrl: string, nonce: string, { changed, removed, before }: SentResponse): void {
    const corrected = new Map<string, Had | undefined>();
    const entries = this.#entries.get(typeUrl) ?? [];
    this.#entries.set(typeUrl, entries);
    entries.push({
      ...{ nonce, changed, removed, corrected },
      before: (name) => (corrected.has(name) ? corrected.get(name) : before(name)),
    });
    if (entries.length > most) entries.shift();
  }

  /** The proxy has answered it, and those before it; undefined for one that is not kept. */
  answered(typeUrl: string, nonce: string): SentResponse | undefined {
    const entries = this.#entries.get(typeUrl) ?? [];
    const index = entries.findIndex((entry) => entry.nonce === nonce);
    return index < 0 ? undefined : entries.splice(0, index + 1).at(-1);
  }

  /** The proxy still has what it had before this response: later ones came on top of that. */
  refused(typeUrl: string, { before }: SentResponse, refused: readonly VersionedResource[]): void {
    for (const entry of this.#entries.get(typeUrl) ?? []) {
      for (const { name, version } of refused)
        if (entry.before(name)?.version === version) entry.corrected.set(name, before(name));
    }
  }
}
