/**
 * Envoy run to its end for an answer: `--version`, `--mode validate`.
 */
import { type ChildExit, spawnChild } from "../lifecycle/child.ts";
import { endOf } from "../lifecycle/child-end.ts";

/** How it ended and what it said. */
export interface EnvoyRun {
  readonly exit: ChildExit;
  readonly output: readonly string[];
  readonly tookMs: number;
}

/** Killed when `signal` aborts. Never rejects. */
export async function runEnvoy(
  binary: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<EnvoyRun> {
  const started = performance.now();
  const output: string[] = [];
  const onLine = (line: string): void => {
    if (line.trim() !== "") output.push(line.trim());
  };
  const child = spawnChild({ file: binary, args, stdout: onLine, stderr: onLine });
  const exit = await endOf(child, signal);
  return { exit, output, tookMs: Math.round(performance.now() - started) };
}
