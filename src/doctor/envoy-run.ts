/**
 * Envoy run to its end for an answer: `--version`, `--mode validate`.
 */
import type { ChildExit } from "../process/child.ts";
import { runCommand } from "../process/command.ts";

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
  const { exit, output } = await runCommand({ file: binary, args, signal });
  return { exit, output, tookMs: Math.round(performance.now() - started) };
}
