/** The real program in a process of its own. */
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Child, type ChildExit, spawnChild } from "../../src/process/child.ts";
import { compileCacheFolder } from "../../src/build/compile-cache.ts";
import { variableOf } from "../../src/schema/own-variables.ts";
import { sleep } from "../../src/lifecycle/sleep.ts";
import { patience } from "./patience.ts";
import { hiddenVariables, launchedVariable } from "../../src/process/own-environment.ts";

/** `src/main.ts`, run by type stripping. */
export const mainPath: string = join(import.meta.dirname, "../../src/main.ts");

export interface RunningOutrider extends AsyncDisposable {
  readonly pid: number;
  /** Just before its exec, in milliseconds since the epoch. */
  readonly startedAt: number;
  readonly exited: Promise<ChildExit>;
  /** Everything that it printed, line by line. */
  readonly lines: readonly string[];
  kill(signal: NodeJS.Signals): void;
  /** Resolves with the exit; fails with the output when it takes longer and has had its room. */
  exitWithin(ms: number): Promise<ChildExit>;
}

/** How to run the program: the words before its own arguments. */
export interface Program {
  readonly file: string;
  readonly args: readonly string[];
}

/** The sources, by type stripping. */
export const sources: Program = { file: process.execPath, args: [mainPath] };

export interface OutriderOptions {
  /** The sources unless given. */
  readonly program?: Program;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Words that go before the command line, such as those of `unshare`. */
  readonly launcher?: readonly string[];
}

/**
 * Variables for the sources: those of the machine that a sidecar would also have, nothing of the developer's own session,
 * and the test's own.
 *
 * The compile cache spares them a third of the processor time that they start with. They would start anew without its
 * variable, so they are told that somebody has looked through their environment; where a test has something hidden, they
 * do that themselves.
 */
export function sourcesEnvironment(own: Readonly<Record<string, string>> = {}): Record<string, string> {
  const isHiding = [...hiddenVariables, launchedVariable].some((name) => name in own);
  const cache = isHiding ? {} : { NODE_COMPILE_CACHE: compileCacheFolder, [launchedVariable]: "" };
  return { ...cleanEnvironment(), ...cache, ...own };
}

function cleanEnvironment(): Record<string, string> {
  const { PATH = "", HOME = "/", XDG_CACHE_HOME } = process.env;
  return { PATH, HOME, ...(XDG_CACHE_HOME === undefined ? {} : { XDG_CACHE_HOME }) };
}

/** Where agents of this test say where they are: not among those of the developer. */
export const agentsFolder: string = join(tmpdir(), `outrider-agents-${process.pid}`);
process.once("exit", () => {
  rmSync(agentsFolder, { recursive: true, force: true });
});

/** Who is not asked about agents by name finds none of them, nor those of the machine; an application sees what is set. */
function announcing(words: readonly string[]): Readonly<Record<string, string>> {
  const [command = ""] = words;
  if (command === "run") return {};
  const finds = ["proxy", "up", "discovery"].includes(command) || words.includes("--name");
  return { [variableOf("runtimeFolder")]: finds ? agentsFolder : join(agentsFolder, "of-nobody") };
}

/** Start it; disposing ends it if it still runs. */
export function startOutrider(options: OutriderOptions): RunningOutrider {
  const lines: string[] = [];
  const onLine = (line: string): void => {
    lines.push(line);
  };
  const program = options.program ?? sources;
  const startedAt = performance.timeOrigin + performance.now();
  const [file = "", ...args] = [...(options.launcher ?? []), program.file, ...program.args, ...options.args];
  const child: Child = spawnChild({
    file,
    args,
    env:
      options.program === undefined
        ? sourcesEnvironment({ ...announcing(options.args), ...options.env })
        : { ...cleanEnvironment(), ...announcing(options.args), ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdout: onLine,
    stderr: onLine,
  });
  const exitWithin = async (ms: number): Promise<ChildExit> => {
    const exit = await settledWithin(child.exited, patience(ms));
    if (exit === undefined)
      throw new Error(`still running after ${patience(ms)} ms:\n${lines.slice(-40).join("\n")}`);
    // Its last lines may still be in the pipe, which an Envoy of its may hold open.
    await settledWithin(child.closed, lastLinesMs);
    return exit;
  };
  return {
    pid: child.pid ?? 0,
    startedAt,
    exited: child.exited,
    lines,
    kill: (signal) => {
      child.kill(signal);
    },
    exitWithin,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await settledWithin(child.exited, 10_000);
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

/** For what a process has written at its end, in milliseconds. */
const lastLinesMs = 1_000;

/** What it resolves with, or undefined when it does not in time. No timer is left to keep a finished test waiting. */
async function settledWithin<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  const settled = new AbortController();
  const value = await Promise.race([promise, sleep(ms, settled.signal)]);
  settled.abort();
  return value ?? undefined;
}

/** Run it to its end. */
export async function runOutrider(
  options: OutriderOptions & { readonly withinMs: number },
): Promise<{ readonly exit: ChildExit; readonly output: string }> {
  await using outrider = startOutrider(options);
  const exit = await outrider.exitWithin(options.withinMs);
  return { exit, output: outrider.lines.join("\n") };
}
