/**
 * The objects of all sources as one set: a pure function.
 */
import { placeOf } from "../config/analysis/warning.ts";
import { type ConfigObject, objectId } from "../config/objects.ts";
import type { ConfigProblem } from "../config/problem.ts";

/** What one source contributes. */
export interface Contribution {
  /** The newest objects, or the last good ones of a source that is broken. */
  readonly objects: readonly ConfigObject[];
  readonly problems: readonly ConfigProblem[];
}

/** What is to be served. */
export interface JoinedObjects {
  readonly objects: readonly ConfigObject[];
  /** Why some of what the sources hold is not among the objects. */
  readonly problems: readonly ConfigProblem[];
}

/**
 * Of an object that several sources have, the first source's is taken and the others' are told.
 *
 * @param sources in the order of their priority, in which their objects decide as well
 */
export function joinSources(sources: readonly Contribution[]): JoinedObjects {
  const taken = new Map<string, ConfigObject>();
  const problems: ConfigProblem[] = [];
  for (const source of sources) {
    problems.push(...source.problems);
    for (const object of source.objects) {
      const id = objectId(object);
      const first = taken.get(id);
      if (first === undefined) taken.set(id, object);
      else problems.push(alreadyThere(id, object, first));
    }
  }
  return { objects: [...taken.values()], problems };
}

/** One object is there a second time. */
export function alreadyThere(id: string, { source, line }: ConfigObject, first: ConfigObject): ConfigProblem {
  return {
    source,
    line,
    path: "metadata.name",
    message: `${id} is already in ${placeOf(first)}: rename or remove one of them`,
  };
}
