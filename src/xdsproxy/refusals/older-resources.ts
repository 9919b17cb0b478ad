/**
 * What Envoy is to have in place of what it refuses: the newest that it accepts of what refused responses said
 * before, then what it last accepted.
 */
import type { AcceptedType } from "../cache/accepted-resources.ts";
import type { PartAnswer } from "../downstream/agent-responses.ts";
import { isolate } from "./isolation.ts";
import type { ResponseEntry } from "./refused-response.ts";
import type { Undecided } from "./undecided.ts";

/** True when two resources say the same, whatever their versions. */
export function isSame(a: ResponseEntry, b: ResponseEntry): boolean {
  return a.bytes === b.bytes && a.isLike(b.resource());
}

/** What is known but for some names. */
export function withoutNames(
  known: AcceptedType | undefined,
  gone: ReadonlySet<string>,
): AcceptedType | undefined {
  if (known === undefined || gone.size === 0) return known;
  return {
    version: known.version,
    has: (name) => !gone.has(name) && known.has(name),
    get: (name) => (gone.has(name) ? undefined : known.get(name)),
  };
}

/** False when an Envoy has accepted one of these that this one does not have: it is not to be forgotten for that. */
export function areRestored(
  names: Iterable<string>,
  given: ReadonlySet<string>,
  known: AcceptedType | undefined,
): boolean {
  return [...names].every((name) => given.has(name) || known?.has(name) !== true);
}

/**
 * Those that Envoy did not have already; all of them when there are none. What a refused response said in between
 * Envoy may have taken: then it is not known to have what it last accepted.
 */
export function changedOf(
  entries: readonly ResponseEntry[],
  known: AcceptedType | undefined,
  undecided: Undecided<ResponseEntry>,
): readonly ResponseEntry[] {
  const changed = entries.filter((entry) => {
    const last = known?.get(entry.name);
    return last === undefined || !entry.isLike(last) || undecided.before(entry.name, entry.order).length > 0;
  });
  return changed.length > 0 ? changed : entries;
}

/**
 * Try in place of each refused resource what was said before it, newest first.
 *
 * @param attempt sends a part; what Envoy accepts of it is undecided no more
 * @returns false when Envoy can say nothing any more, or need not
 */
export async function tryOlder(
  refused: readonly ResponseEntry[],
  undecided: Undecided<ResponseEntry>,
  attempt: (part: readonly ResponseEntry[]) => Promise<PartAnswer>,
  maxTries: number,
): Promise<boolean> {
  const nextOf = (entries: readonly ResponseEntry[]): readonly ResponseEntry[] => {
    for (const entry of entries) undecided.refused(entry);
    return entries.flatMap(({ name, order }) => undecided.before(name, order).slice(0, 1));
  };
  let left = maxTries;
  for (let open = nextOf(refused); open.length > 0 && left > 0;) {
    left -= 1;
    const answer = await attempt(open);
    if (answer === "void") return false;
    if (answer === "accepted") return true;
    const found = await isolate(
      open,
      () => false,
      (part) => {
        left -= 1;
        return attempt(part);
      },
      left,
    );
    if (found.unknown.length > 0) return false;
    open = nextOf(found.refused);
  }
  return true;
}
