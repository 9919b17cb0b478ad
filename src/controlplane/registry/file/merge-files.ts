/**
 * The objects of all files as one set: a pure function.
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
 * @param unseen problems of files and folders that could not be looked at
 * @param served the objects that were served last; none at first
 */
export function mergeFiles(
  files: readonly ParsedFile[],
  unseen: readonly ConfigProblem[],
  served: readonly ConfigObject[],
): MergedObjects {
  const found = Map.groupBy(
    files.flatMap(({ objects }) => objects),
    objectId,
  );
  const before = new Set(served.map(objectId));
  // Of several with one name the one that is served stays; where none is, at a start, the first counts.
  const taken = [...found].flatMap(([id, same]) =>
    same.length === 1 || !before.has(id) ? same.toSorted(byPlace).slice(0, 1) : [],
  );
  const refused = new Set([
    ...files.flatMap((file) => file.refused),
    ...[...found].filter(([, same]) => same.length > 1).map(([id]) => id),
  ]);
  const ids = new Set(taken.map(objectId));
  const kept = served.filter((object) => {
    const id = objectId(object);
    return !ids.has(id) && (refused.has(id) || isHidden(object, files, unseen));
  });
  return {
    // In the order of the files, whatever is kept: of several policies for the same, the first decides.
    objects: [...taken, ...kept].toSorted(byPlace),
    problems: [
      ...unseen,
      ...files.flatMap(({ problems }) => problems),
      ...[...found].flatMap(([id, same]) => sameNames(id, same)),
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
