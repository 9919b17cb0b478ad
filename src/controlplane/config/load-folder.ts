/**
 * Every YAML file below a folder, as one set of objects.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { errorMessage } from "../../lifecycle/error-message.ts";
import type { ConfigObject } from "./objects.ts";
import { type ParsedFile, parseDocuments } from "./parse-documents.ts";
import type { FileProblem } from "./problem.ts";

/** All objects, or all problems: half of a configuration is never served. */
export type LoadResult =
  | { readonly kind: "loaded"; readonly objects: readonly ConfigObject[] }
  | { readonly kind: "invalid"; readonly problems: readonly FileProblem[] };

/** Read the folder; never rejects. */
export async function loadConfigFolder(folder: string): Promise<LoadResult> {
  let files: readonly string[];
  try {
    files = (await readdir(folder, { recursive: true })).filter((name) => /\.ya?ml$/.test(name)).toSorted();
  } catch (error) {
    const message = `cannot be read: ${errorMessage(error)}. Create it, or name another folder`;
    return { kind: "invalid", problems: [{ source: folder, line: 0, path: "", message }] };
  }
  const parsed = await Promise.all(files.map((name) => parseFile(join(folder, name))));
  const objects = parsed.flatMap((file) => file.objects);
  const problems = [...parsed.flatMap((file) => file.problems), ...sameNames(objects)];
  return problems.length === 0 ? { kind: "loaded", objects } : { kind: "invalid", problems };
}

async function parseFile(path: string): Promise<ParsedFile> {
  try {
    return parseDocuments(path, await readFile(path, "utf8"));
  } catch (error) {
    const problem = { source: path, line: 0, path: "", message: `cannot be read: ${errorMessage(error)}` };
    return { objects: [], problems: [problem] };
  }
}

function sameNames(objects: readonly ConfigObject[]): readonly FileProblem[] {
  const groups = Map.groupBy(objects, ({ kind, namespace, name }) => `${kind} ${namespace}/${name}`);
  return [...groups].flatMap(([id, [first, ...others]]) =>
    others.map(({ source, line }) => ({
      source,
      line,
      path: "metadata.name",
      message: `${id} is already in ${first?.source ?? ""}:${first?.line ?? 0}: rename or remove one of them`,
    })),
  );
}
