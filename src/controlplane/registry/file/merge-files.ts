/**
 * The objects of all files as one set: pure.
 *
 * What is wrong with one object costs that object only: it stays as it was last, and all others are taken as they are.
 */
import { type ConfigObject, objectId } from "../../config/objects.ts";
import type { ParsedFile } from "../../config/parse-documents.ts";
import type { ConfigProblem } from "../../config/problem.ts";
import { alreadyThere } from "../join-sources.ts";

/** What is to be served. */
export interface MergedObjects {
  readonly objects: readonly ConfigObject[];
  /** Why some of what the files hold is not among the objects. */
  readonly problems: readonly ConfigProblem[];
}

/**
 * Stops now and then, for others to have their turn.
 *
 * @param unseen problems of files and folders that could not be looked at
 * @param served the objects that were served last; none at first
 */
export function* mergeFiles(
  files: readonly ParsedFile[],
  unseen: readonly ConfigProblem[],
  served: readonly ConfigObject[],
): Generator<void, MergedObjects> {
  const first = new Map<string, ConfigObject>();
  /** Objects of one name, where there are several. */
  const rivals = new Map<string, [ConfigObject, ...ConfigObject[]]>();
  const refused = new Set<string>();
  for (const file of files) {
    for (const id of file.refused) refused.add(id);
    for (const object of file.objects) {
      const id = objectId(object);
      const there = first.get(id);
      const same = rivals.get(id);
      if (there === undefined) first.set(id, object);
      else if (same === undefined) rivals.set(id, [there, object]);
      else same.push(object);
    }
    yield;
  }
  for (const id of rivals.keys()) refused.add(id);
  // Of several with one name the one that is served stays; where none is, at a start, the first counts.
  const before = rivals.size === 0 ? new Set<string>() : new Set(served.map(objectId));
  for (const [id, same] of rivals) {
    const [oldest = same[0]] = same.toSorted(byPlace);
    if (before.has(id)) first.delete(id);
    else first.set(id, oldest);
  }
  yield;
  const hides = files.some(({ hidesObjects }) => hidesObjects) || unseen.length > 0;
  const kept: ConfigObject[] = [];
  // What nothing is refused of and nothing hides is gone where it is not among the files.
  for (const object of refused.size > 0 || hides ? served : []) {
    const id = objectId(object);
    if (!first.has(id) && (refused.has(id) || isHidden(object, files, unseen))) kept.push(object);
    yield;
  }
  return {
    // In the order of the files, whatever is kept: of several policies for the same, the first decides.
    objects: [...first.values(), ...kept].toSorted(byPlace),
    problems: [
      ...unseen,
      ...files.flatMap(({ problems }) => problems),
      ...[...rivals].flatMap(([id, same]) => sameNames(id, same)),
    ],
  };
}

/** True when the object may still be where it was, which cannot be told. */
function isHidden(
  { source }: ConfigObject,
  files: readonly ParsedFile[],
  unseen: readonly ConfigProblem[],
): boolean {
  return (
    files.some((file) => file.source === source && file.hidesObjects) ||
    unseen.some((problem) => source === problem.source || source.startsWith(`${problem.source}/`))
  );
}

function byPlace(a: ConfigObject, b: ConfigObject): number {
  if (a.source !== b.source) return a.source < b.source ? -1 : 1;
  return a.line - b.line;
}

function sameNames(id: string, [first, ...others]: readonly ConfigObject[]): readonly ConfigProblem[] {
  return first === undefined ? [] : others.map((other) => alreadyThere(id, other, first));
}
