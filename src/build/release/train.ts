/**
 * V8's code cache of the release, from a run of its main job: what is called there is compiled in the cache.
 */
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnChild } from "../../process/child.ts";
import { sleep } from "../../lifecycle/sleep.ts";
import { nodeFlags } from "./node-flags.ts";

/** Commands whose record of a part is preferred, best first: the agent is the one that has to be small and fast. */
const preferred = ["proxy", "iptables", "up"];

const timeoutMs = 120_000;

/** What was called is written in an order that hashes decide: the same in every build. */
const recordingFlags = ["--hash-seed=1"];

/** The file of an agent's start: see `loader.cjs`. */
const startFile = "proxy.start.js";

/**
 * Run the release in `lib`, write the caches beside its parts, and what an agent loads before Envoy as one file.
 *
 * @throws Error with the run's output
 */
export async function writeCodeCaches(lib: string, envoyBinary: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "outrider-train-"));
  try {
    const recorder = join(folder, "recorder.cjs");
    copyFileSync(join(import.meta.dirname, "recorder.cjs"), recorder);
    const run = (words: readonly string[], env: NodeJS.ProcessEnv): Promise<TrainingEnd> =>
      runRelease(lib, recorder, words, env);
    const runMesh = async (): Promise<void> => {
      const state = join(folder, "state");
      const words = ["up", "--once", "--binaryPath", envoyBinary, "--stateDir", state];
      const { code, output } = await run(words, process.env);
      if (code !== 0) throw new Error(`the release does not run its main job:\n${output}`);
    };
    const copyCache = (part: string): void => {
      const cache = `${part}.cache`;
      const record = preferred
        .map((command) => join(folder, "records", command, cache))
        .find((path) => existsSync(path));
      if (record !== undefined) copyFileSync(record, join(lib, cache));
    };
    writeFileSync(join(lib, startFile), joinParts(lib, []), "latin1");
    await runMesh();
    // On a machine without programs, so that it goes all the way and changes nothing.
    const capture = await run(["iptables", "--proxy-uid", "1337"], { ...process.env, PATH: folder });
    if (capture.code !== 1) throw new Error(`the release does not capture traffic:\n${capture.output}`);
    for (const part of readdirSync(lib).filter((name) => name.endsWith(".js"))) copyCache(part);
    const start = readFileSync(join(folder, "records/proxy/start"), "utf8").split("\n");
    const parts = start.filter((name) => name !== startFile);
    writeFileSync(join(lib, startFile), joinParts(lib, parts), "latin1");
    await runMesh();
    copyCache(startFile);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A script that gives the functions of `parts` by name. */
function joinParts(lib: string, parts: readonly string[]): string {
  const members = parts.map((name) => `"${name}":${readFileSync(join(lib, name), "latin1").trimEnd()}`);
  return `(function () {return {__proto__:null,${members.join(",\n")}}})\n`;
}

/** The exit code, undefined where it was not exited with one, and what was said. */
interface TrainingEnd {
  readonly code: number | undefined;
  readonly output: string;
}

async function runRelease(
  lib: string,
  recorder: string,
  words: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<TrainingEnd> {
  const lines: string[] = [];
  const child = spawnChild({
    file: join(lib, "node"),
    args: [...nodeFlags, ...recordingFlags, "--require", recorder, join(lib, "outrider.cjs"), ...words],
    env,
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
