/**
 * Which resources of a refused response are to blame: found out by sending Envoy parts of it. Pure.
 *
 * Envoy refuses a response as a whole and may not say which resource it means, nor have taken the others: of route
 * configurations, it gives up at the first bad one.
 */
import type { PartAnswer } from "../downstream/agent-responses.ts";

/** What was found out. */
export interface Isolated<T> {
  readonly refused: readonly T[];
  readonly accepted: readonly T[];
  /** Parts that could not be tried: somebody among them is to blame, or nobody. */
  readonly unknown: readonly T[];
}

/**
 * What is not found with `maxTries` parts is refused together with the part that it is in.
 *
 * @param suspects refused together
 * @param isNamed true for one that Envoy's words seem to name, which only decides what is tried first
 * @param attempt sends a part
 */
export async function isolate<T>(
  suspects: readonly T[],
  isNamed: (suspect: T) => boolean,
  attempt: (part: readonly T[]) => Promise<PartAnswer>,
  maxTries = 64,
): Promise<Isolated<T>> {
  const refused: T[] = [];
  const accepted: T[] = [];
  const groups: (readonly T[])[] = [];
  /** Parts that have not been tried, in order. */
  const untried = suspects.length > 1 ? splitByName(suspects, isNamed) : [];
  if (suspects.length === 1) refused.push(...suspects);
  let tries = 0;
  for (let part = untried.shift(); part !== undefined; part = untried.shift()) {
    if (tries >= maxTries) {
      groups.push(part);
      continue;
    }
    tries += 1;
    const answer = await attempt(part);
    if (answer === "void") return { refused, accepted, unknown: [...part, ...untried.flat()] };
    if (answer === "accepted") accepted.push(...part);
    else if (part.length === 1) refused.push(...part);
    else if (tries >= maxTries) groups.push(part);
    else untried.unshift(...halves(part));
  }
  return { refused: [...refused, ...groups.flat()], accepted, unknown: [] };
}

function splitByName<T>(suspects: readonly T[], isNamed: (suspect: T) => boolean): (readonly T[])[] {
  const named = suspects.filter(isNamed);
  if (named.length === 0 || named.length === suspects.length) return halves(suspects);
  return [suspects.filter((suspect) => !isNamed(suspect)), named];
}

function halves<T>(part: readonly T[]): (readonly T[])[] {
  const middle = Math.ceil(part.length / 2);
  return [part.slice(0, middle), part.slice(middle)];
}
