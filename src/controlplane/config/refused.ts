/**
 * Objects that are written and refused: who refers to one is told that, and where it is, not that there is none.
 */
import type { Kinds } from "./objects.ts";
import type { ConfigProblem } from "./problem.ts";

/** By what `objectId` names them, the place of the first thing that is wrong with each. */
export type Refused = ReadonlyMap<string, string>;

export const noneRefused: Refused = new Map();

/** Those that problems have refused. */
export function refusedBy(problems: readonly ConfigProblem[]): Refused {
  const places = new Map<string, string>();
  for (const { refuses, source, line } of problems)
    if (refuses !== undefined && !places.has(refuses))
      places.set(refuses, line === 0 ? source : `${source}:${line}`);
  return places;
}

/** Why an object that is referred to is not there. @param id `namespace/name` @param otherwise of one that is nowhere */
export function whyMissing(refused: Refused, kind: keyof Kinds, id: string, otherwise: string): string {
  const place = refused.get(`${kind} ${id}`);
  return place === undefined ? otherwise : `${id} is refused (${place})`;
}
