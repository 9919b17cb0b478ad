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
  /** What it reads from its standard input; nothing unless told. */
  readonly input?: string;
  /** Kills it, with all that it has started: every command has a deadline. */
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
export async function runCommand({ file, args, env, input, signal }: CommandOptions): Promise<CommandResult> {
  const { execa } = await import("execa");
  const running = execa(file, args, {
    detached: true,
    reject: false,
    all: true,
    lines: true,
    ...(input === undefined ? { stdin: "ignore" } : { input }),
    cancelSignal: signal,
    killSignal: "SIGKILL",
    env: env ?? originalEnvironment(ownEnvironment),
    extendEnv: false,
  });
  // What it has started holds its output, and would be waited for.
  const killAll = (): void => {
    killGroup(running.pid);
  };
  signal.addEventListener("abort", killAll, { once: true });
  const result = await running;
  signal.removeEventListener("abort", killAll);
  return {
    exit: exitOf(result),
    output: result.all.map((line) => line.trim()).filter((line) => line !== ""),
    isCancelled: result.isCanceled,
  };
}

function killGroup(leader: number | undefined): void {
  try {
    if (leader !== undefined) process.kill(-leader, "SIGKILL");
  } catch {
    // Nobody is left in it.
  }
}

function exitOf(result: {
  readonly exitCode?: number;
  readonly signal?: string;
  readonly originalMessage?: string | undefined;
  readonly code?: string | undefined;
}): ChildExit {
  const { exitCode, signal, originalMessage, code } = result;
  if (signal !== undefined) return { kind: "signaled", signal };
  if (exitCode !== undefined) return { kind: "exited", code: exitCode };
  return { kind: "not-started", message: originalMessage ?? "unknown error", code };
}
