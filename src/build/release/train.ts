/**
 * V8's code cache of the release, from a run of its main job: what is called there is compiled in the cache.
 */
import { copyFileSync, existsSync, readdirSync } from "node:fs";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnChild } from "../../process/child.ts";
import { sleep } from "../../lifecycle/sleep.ts";
import { nodeFlags } from "./node-flags.ts";

/** Commands whose record of a part is preferred, best first: the agent is the one that has to be small and fast. */
const preferred = ["proxy", "iptables", "up"];

const timeoutMs = 120_000;

/** Run the release in `lib` and write the caches beside its parts. @throws Error with the run's output */
export async function writeCodeCaches(lib: string, envoyBinary: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "outrider-train-"));
  try {
    const recorder = join(folder, "recorder.cjs");
    copyFileSync(join(import.meta.dirname, "recorder.cjs"), recorder);
    const run = (words: readonly string[], env: NodeJS.ProcessEnv): Promise<TrainingEnd> =>
      runRelease(lib, recorder, words, env);
    const mesh = await run(
      ["up", "--once", "--binaryPath", envoyBinary, "--stateDir", join(folder, "state")],
      process.env,
    );
    if (mesh.code !== 0) throw new Error(`the release does not run its main job:\n${mesh.output}`);
    // On a machine without programs, so that it goes all the way and changes nothing.
    const capture = await run(["iptables", "--proxy-uid", "1337"], { ...process.env, PATH: folder });
    if (capture.code !== 1) throw new Error(`the release does not capture traffic:\n${capture.output}`);
    for (const part of readdirSync(lib).filter((name) => name.endsWith(".js"))) {
      const cache = `${part}.cache`;
      const record = preferred
        .map((command) => join(folder, "records", command, cache))
        .find((path) => existsSync(path));
      if (record !== undefined) copyFileSync(record, join(lib, cache));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
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
    args: [...nodeFlags, "--require", recorder, join(lib, "outrider.cjs"), ...words],
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
