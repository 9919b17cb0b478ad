/**
 * A program run to its end for what it says, the only user of execa, which is loaded with the first one: the processes
 * that an agent keeps are `child.ts`'s.
 */
import { env as ownEnvironment } from "node:process";
import type { ChildExit } from "./child.ts";
import { originalEnvironment } from "./own-environment.ts";

/** What to run. */
export interface CommandOptions {
  readonly file: string;
  readonly args: readonly string[];
  /** Instead of this process's own environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Kills it: every command has a deadline. */
  readonly signal: AbortSignal;
}

/** How a program ended and what it said. */
export interface CommandResult {
  readonly exit: ChildExit;
  /** Lines of both outputs as they came, without those that are blank. */
  readonly output: readonly string[];
  /** The signal came first. */
  readonly isCancelled: boolean;
}

/** Run a program in a session of its own, as all children of this process. Never rejects. */
export async function runCommand({ file, args, env, signal }: CommandOptions): Promise<CommandResult> {
  const { execa } = await import("execa");
  const result = await execa(file, args, {
    detached: true,
    reject: false,
    all: true,
    lines: true,
    stdin: "ignore",
    cancelSignal: signal,
    killSignal: "SIGKILL",
    env: env ?? originalEnvironment(ownEnvironment),
    extendEnv: false,
  });
  return {
    exit: exitOf(result),
    output: result.all.map((line) => line.trim()).filter((line) => line !== ""),
    isCancelled: result.isCanceled,
  };
}

function exitOf(result: {
  readonly exitCode?: number;
  readonly signal?: string;
  readonly originalMessage?: string | undefined;
}): ChildExit {
  const { exitCode, signal, originalMessage } = result;
  if (signal !== undefined) return { kind: "signaled", signal };
  if (exitCode !== undefined) return { kind: "exited", code: exitCode };
  return { kind: "not-started", message: originalMessage ?? "unknown error" };
}
