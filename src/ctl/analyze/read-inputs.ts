/**
 * The configuration that a command is given: files, folders and standard input, as one set of objects.
 */
import { statSync } from "node:fs";
import { objectsLimits } from "../../document/limits.ts";
import type { ConfigProblem } from "../../controlplane/config/problem.ts";
import { walkFolder } from "../../controlplane/registry/file/walk-folder.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { atOnce } from "../../lifecycle/in-turns.ts";
import { readGivenText } from "../given-text.ts";
import { type Inputs, inputsOf } from "./inputs.ts";

/** What was read, and what is wrong with it. */
export interface ReadInputs extends Inputs {
  /** Files, by their names. */
  readonly texts: ReadonlyMap<string, string>;
  /** Inputs that cannot be read at all, a line each. */
  readonly unreadable: readonly string[];
  /** Folders that hold nothing to read, a line each. */
  readonly empty: readonly string[];
  /** Files that hold no object, by their names. */
  readonly blank: ReadonlySet<string>;
}

/** As messages call standard input. */
const standardInput = "standard input";

/**
 * @param paths `-` is standard input
 * @param others what there is beside the files, once these are read
 */
export async function readInputs(
  paths: readonly string[],
  signal: AbortSignal,
  others: (files: ReadonlyMap<string, string>) => ReadonlyMap<string, string> = () => new Map(),
): Promise<ReadInputs> {
  const texts = new Map<string, string>();
  const unreadable: string[] = [];
  const empty: string[] = [];
  const unseen: ConfigProblem[] = [];
  const attempt = async (path: string, name = path): Promise<void> => {
    try {
      texts.set(name, await readGivenText(path, { ...limits, signal }));
    } catch (error) {
      unreadable.push(`${name} cannot be read: ${errorMessage(error)}`);
    }
  };
  for (const path of paths) {
    if (path === "-") await attempt(path, standardInput);
    else if (isFolder(path)) {
      const { files, problems } = atOnce(walkFolder(path));
      unseen.push(...problems);
      if (files.length === 0 && problems.length === 0)
        empty.push(`${path} holds no file to read: name one that ends in .yaml, .yml or .json`);
      for (const file of files) await attempt(file.path);
    } else await attempt(path);
  }
  const all = new Map([...texts, ...others(texts)]);
  const inputs = inputsOf(all, unseen);
  // What is passed over, or cannot be read, is there and is told.
  const told = new Set([...inputs.sources, ...inputs.ownProblems.map(({ source }) => source)]);
  const blank = new Set([...texts.keys()].filter((source) => !told.has(source)));
  return { ...inputs, texts: all, unreadable, empty, blank };
}

const limits = { maxBytes: objectsLimits.maxBytes };

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
