/**
 * V8's code caches of the release, and what an agent loads before Envoy as one file: found in a run of the main job.
 */
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnChild } from "../../process/child.ts";
import { sleep } from "../../lifecycle/sleep.ts";
import { nodeFlags } from "./node-flags.ts";

const timeoutMs = 120_000;

/** Tables are written in an order that hashes decide: the same in every build. */
const writerFlags = ["--hash-seed=1"];

/** The files of an agent's start, before and after that of Envoy: see `loader.cjs`. */
const startFile = "proxy.start.js";
const lateFile = "proxy.late.js";

/**
 * Run the release in `lib`, write what its agent loads before Envoy as one file, and the caches beside all parts.
 *
 * @throws Error with the run's output
 */
export async function writeCodeCaches(lib: string, envoyBinary: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "outrider-train-"));
  try {
    const recorder = join(folder, "recorder.cjs");
    copyFileSync(join(import.meta.dirname, "recorder.cjs"), recorder);
    for (const name of [startFile, lateFile]) writeFileSync(join(lib, name), joinParts(lib, []), "latin1");
    const state = join(folder, "state");
    const mesh = ["up", "--once", "--binaryPath", envoyBinary, "--stateDir", state];
    const run = await runNode(lib, ["--require", recorder, join(lib, "outrider.cjs"), ...mesh]);
    if (run.code !== 0) throw new Error(`the release does not run its main job:\n${run.output}`);
    const loaded = readFileSync(join(folder, "start-proxy"), "utf8").split("\n");
    // In an order of its own: that of loading is one of time.
    const parts = loaded.filter((name) => name !== startFile).toSorted();
    writeFileSync(join(lib, startFile), joinParts(lib, parts), "latin1");
    writeFileSync(join(lib, lateFile), joinParts(lib, lateParts(lib, new Set(parts))), "latin1");
    const writer = await runNode(lib, [...writerFlags, join(import.meta.dirname, "cache-writer.cjs"), lib]);
    if (writer.code !== 0) throw new Error(`the release's code caches cannot be written:\n${writer.output}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What `late-parts.ts` imports, and what that imports, but for those that are loaded by then. */
function lateParts(lib: string, known: ReadonlySet<string>): readonly string[] {
  const first = readdirSync(lib).find((name) => /^late-parts-\w+\.js$/.test(name));
  if (first === undefined) throw new Error("the release has no late parts");
  const found = new Set([first]);
  for (const name of found) {
    // An import that is awaited is no declaration.
    const text = readFileSync(join(lib, name), "latin1");
    for (const [, imported = ""] of text.matchAll(/var \w+=(?:__toESM\()?require\("\.\/([^"]+)"\)/g))
      if (!known.has(imported)) found.add(imported);
  }
  return [...found].toSorted();
}

/** A script that gives the functions of `parts` by name. */
function joinParts(lib: string, parts: readonly string[]): string {
  const members = parts.map((name) => `"${name}":${readFileSync(join(lib, name), "latin1").trimEnd()}`);
  return `(function () {return {__proto__:null,${members.join(",\n")}}})\n`;
}

/** The exit code, undefined where it was not exited with one, and what was said. */
interface RunEnd {
  readonly code: number | undefined;
  readonly output: string;
}

/** The release's Node.js, with the flags that its caches are bound to. */
async function runNode(lib: string, words: readonly string[]): Promise<RunEnd> {
  const lines: string[] = [];
  const child = spawnChild({
    file: join(lib, "node"),
    args: [...nodeFlags, ...words],
    env: process.env,
    stdout: (line) => lines.push(line),
    stderr: (line) => lines.push(line),
  });
  const deadline = new AbortController();
  const exit = await Promise.race([child.exited, sleep(timeoutMs, deadline.signal)]);
  deadline.abort();
  if (exit === undefined) child.kill("SIGTERM");
  await child.exited;
  return { code: exit?.kind === "exited" ? exit.code : undefined, output: lines.join("\n") };
}
