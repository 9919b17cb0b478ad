/** Tries one mutant after the other: loads the tests with the changed source, and says which of them fails. */
import assert from "node:assert/strict";
import { registerHooks, stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parentPort, workerData } from "node:worker_threads";
import { firstFailure } from "./collected-tests.ts";

/** What a worker is made for. */
export interface WorkerTask {
  readonly root: string;
  readonly tests: readonly string[];
}

/** One of them. */
export interface Trial {
  readonly number: number;
  readonly path: string;
  /** Modules that are loaded anew. */
  readonly affected: ReadonlySet<string>;
  readonly source: string;
}

/** Which test finds it, if any. */
export interface Verdict {
  readonly number: number;
  readonly foundBy: string | undefined;
}

const { root, tests } = workerData as WorkerTask;
const stand = pathToFileURL(join(import.meta.dirname, "collected-tests.ts")).href;
let trial: Trial | undefined;

registerHooks({
  resolve: (specifier, context, next) => {
    if (specifier === "node:test") return { url: stand, shortCircuit: true };
    const resolved = next(specifier, context);
    if (trial === undefined || !resolved.url.startsWith("file:")) return resolved;
    const path = fileURLToPath(resolved.url).slice(root.length + 1);
    return trial.affected.has(path)
      ? { ...resolved, url: `${resolved.url}?mutant=${trial.number}` }
      : resolved;
  },
  load: (url, context, next) => {
    const isChanged = trial !== undefined && url.endsWith(`${trial.path}?mutant=${trial.number}`);
    if (!isChanged) return next(url, context);
    const source = stripTypeScriptTypes(trial?.source ?? "");
    return { format: "module", source, shortCircuit: true };
  },
});

async function attempt(): Promise<string | undefined> {
  try {
    for (const test of tests) {
      await import(pathToFileURL(join(root, test)).href);
      const failure = await firstFailure();
      if (failure !== undefined) return failure;
    }
    return undefined;
  } catch (error) {
    await firstFailure();
    return `it cannot be loaded: ${String(error)}`;
  }
}

const port = parentPort;
assert.ok(port !== null);
port.on("message", (next: Trial) => {
  trial = next;
  void attempt().then((foundBy) => {
    port.postMessage({ number: next.number, foundBy } satisfies Verdict, []);
  });
});
