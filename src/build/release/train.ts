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
const preferred = ["proxy", "up"];

const timeoutMs = 120_000;

/** Run the release in `lib` and write the caches beside its parts. @throws Error with the run's output */
export async function writeCodeCaches(lib: string, envoyBinary: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "outrider-train-"));
  try {
    const recorder = join(folder, "recorder.cjs");
    copyFileSync(join(import.meta.dirname, "recorder.cjs"), recorder);
    await runMesh(lib, recorder, ["--binaryPath", envoyBinary, "--stateDir", join(folder, "state")]);
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

async function runMesh(lib: string, recorder: string, flags: readonly string[]): Promise<void> {
  const lines: string[] = [];
  const child = spawnChild({
    file: join(lib, "node"),
    args: [...nodeFlags, "--require", recorder, join(lib, "outrider.cjs"), "up", "--once", ...flags],
    stdout: (line) => lines.push(line),
    stderr: (line) => lines.push(line),
  });
  const deadline = new AbortController();
  const exit = await Promise.race([child.exited, sleep(timeoutMs, deadline.signal)]);
  deadline.abort();
  if (exit === undefined) child.kill("SIGTERM");
  await child.exited;
  if (exit?.kind === "exited" && exit.code === 0) return;
  throw new Error(`the release does not run its main job:\n${lines.join("\n")}`);
}
