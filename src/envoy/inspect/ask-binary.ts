/**
 * Questions to an Envoy's binary: each runs it to its end, and within a deadline.
 */
import { sleep } from "../../lifecycle/sleep.ts";
import { type Child, type ChildExit, spawnChild } from "../../process/child.ts";
import { envoyArguments } from "../generation/arguments.ts";
import type { PreparedLaunch } from "../generation/launch.ts";
import type { Validation } from "./validation.ts";

/** Validation takes 0.2 s; a large static configuration on a throttled CPU takes longer. In milliseconds. */
const deadlineMs = 30_000;

/**
 * Envoy's own check of the bootstrap at `path` (`--mode validate`). It has no side effects and asks neither SDS nor the
 * control plane, so a valid bootstrap may still fail to serve. Never rejects.
 */
export async function askWhetherValid(
  { binary, options }: Pick<PreparedLaunch, "binary" | "options">,
  path: string,
  cancel: AbortSignal,
): Promise<Validation> {
  const lines: string[] = [];
  const child = spawnChild({
    file: binary,
    args: ["--mode", "validate", ...envoyArguments(options, path, { kind: "alone" })],
    stdout: "ignore",
    stderr: (line) => lines.push(line),
  });
  const exit = await exitWithin(child, deadlineMs, cancel);
  if (exit === undefined) return { kind: "no-answer", afterMs: deadlineMs };
  if (exit.kind === "exited" && exit.code === 0) return { kind: "valid" };
  const complaint = lines.find((line) => isShellComplaint(binary, line));
  return complaint === undefined ? { kind: "invalid", exit, lines } : { kind: "not-a-program", complaint };
}

/**
 * The hot restart version of a binary (`--hot-restart-version`).
 *
 * @throws Error when it does not tell, or when `cancel` aborts
 */
export async function askHotRestartVersion(binary: string, cancel: AbortSignal): Promise<string> {
  const lines: string[] = [];
  const onLine = (line: string): void => {
    lines.push(line);
  };
  // Envoy 1.40 says it on its standard error.
  const child = spawnChild({ file: binary, args: ["--hot-restart-version"], stdout: onLine, stderr: onLine });
  const exit = await exitWithin(child, deadlineMs, cancel);
  const version = lines.findLast((line) => /^\d+\.\d+$/.test(line.trim()))?.trim();
  if (exit?.kind !== "exited" || exit.code !== 0 || version === undefined) {
    throw new Error(`${binary} does not tell its hot restart version`);
  }
  return version;
}

/** `/path/of/envoy: 1: word: not found`; bash says `line 1`. */
function isShellComplaint(binary: string, line: string): boolean {
  return line.startsWith(`${binary}: `) && /^(?:line )?\d+: /.test(line.slice(binary.length + 2));
}

/** From a child's end to the last of its output, which something that it has started may hold, in milliseconds. */
const lastWordsMs = 100;

/** The child's end, with all that it said; undefined when it had to be killed, with all that it had started. */
async function exitWithin(child: Child, ms: number, cancel: AbortSignal): Promise<ChildExit | undefined> {
  const limit = new AbortController();
  const exit = await Promise.race([
    child.exited,
    sleep(ms, AbortSignal.any([limit.signal, cancel])).then(() => undefined),
  ]);
  if (exit === undefined) {
    child.killGroup("SIGKILL");
    await child.exited;
  } else {
    await Promise.race([child.closed, sleep(lastWordsMs, limit.signal)]);
  }
  limit.abort();
  child.closeOutput();
  return exit;
}
