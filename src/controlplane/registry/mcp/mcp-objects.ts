/**
 * What another control plane says of its objects: resources become the objects that files would hold, and what is refused stays as it
 * was last.
 */
import { createHash } from "node:crypto";
import { errorMessage } from "../../../lifecycle/error-message.ts";
import { textAt } from "../../../lifecycle/json-path.ts";
import { mcpKinds, mcpTypesOf, objectInMcp } from "../../config/mcp-resource.ts";
import { type ConfigObject, objectId } from "../../config/objects.ts";
import { type ParsedFile, parsingObjectOf } from "../../config/parse-documents.ts";
import type { ConfigProblem } from "../../config/problem.ts";

/** Every type that is asked for. */
export const mcpTypes: readonly string[] = mcpKinds.flatMap(mcpTypesOf);

/** Resources of each type that has been answered, as bytes. */
export type McpAnswers = ReadonlyMap<string, readonly Uint8Array[]>;

/** What they come to. */
export interface McpObjects {
  readonly objects: readonly ConfigObject[];
  readonly problems: readonly ConfigProblem[];
}

/** Reads one state after the other; what is as it was in the last one is the same object. */
export class McpReader {
  readonly #source: string;
  #parsed: ReadonlyMap<string, ParsedFile> = new Map();
  #served: ReadonlyMap<string, ConfigObject> = new Map();

  /** @param source the other control plane, as messages name it */
  constructor(source: string) {
    this.#source = source;
  }

  /** Stops now and then, for others to have their turn. */
  *read(answers: McpAnswers): Generator<void, McpObjects> {
    const parsed = new Map<string, ParsedFile>();
    const objects = new Map<string, ConfigObject>();
    const problems: ConfigProblem[] = [];
    for (const kind of mcpKinds) {
      const files: ParsedFile[] = [];
      for (const type of mcpTypesOf(kind))
        for (const bytes of answers.get(type) ?? []) {
          const key = `${type} ${createHash("sha256").update(bytes).digest("base64")}`;
          const file = this.#parsed.get(key) ?? (yield* parse(this.#source, type, bytes));
          parsed.set(key, file);
          files.push(file);
        }
      const take = (object: ConfigObject | undefined): void => {
        // One that is told in two versions is one.
        if (object !== undefined && !objects.has(objectId(object))) objects.set(objectId(object), object);
      };
      for (const file of files) file.objects.forEach(take);
      for (const { refused } of files) for (const id of refused) take(this.#served.get(id));
      if (files.some(({ hidesObjects }) => hidesObjects))
        for (const object of this.#served.values()) if (object.kind === kind) take(object);
      problems.push(...files.flatMap((file) => file.problems));
    }
    this.#parsed = parsed;
    this.#served = objects;
    return { objects: [...objects.values()], problems };
  }
}

function* parse(source: string, type: string, bytes: Uint8Array): Generator<void, ParsedFile> {
  const kind = type.slice(type.lastIndexOf("/") + 1);
  let object: Readonly<Record<string, unknown>>;
  try {
    object = objectInMcp(type, bytes);
  } catch (error) {
    const message = `is no resource of ${type}, and of its kind what was there stays: ${errorMessage(error)}`;
    const problem = { source: `${source} ${kind}`, line: 0, path: "", message };
    return { source, objects: [], problems: [problem], refused: [], hidesObjects: true };
  }
  const place = [textAt(object, "metadata", "namespace") ?? [], textAt(object, "metadata", "name") ?? []];
  return yield* parsingObjectOf(`${source} ${kind} ${place.flat().join("/")}`, object);
}
