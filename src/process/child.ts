/**
 * Child processes, the only place where they are started.
 *
 * A child leads a session of its own, so that a signal from the terminal or to the agent's process group
 * reaches the agent alone, which then stops its children in order. The exception is a child that the terminal is for.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { env as ownEnvironment } from "node:process";
import { errorCode, errorMessage } from "../lifecycle/error-message.ts";
import { originalEnvironment } from "./own-environment.ts";

/** How a process ended. */
export type ChildExit =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "signaled"; readonly signal: string }
  | {
      readonly kind: "not-started";
      readonly message: string;
      /** Of the system or of Node.js, such as `ENOENT`. */
      readonly code: string | undefined;
    };

/** What to run. */
export interface ChildOptions {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  /** Shares this process's standard input, session and process group: the terminal's foreground stays with it. */
  readonly foreground?: boolean;
  /** What it reads from its standard input; nothing unless told. */
  readonly input?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What it gets beside this process's own environment, where `env` is not given. */
  readonly addEnv?: Readonly<Record<string, string>>;
  /** `inherit` passes output on untouched; a function gets it line by line. */
  readonly stdout: "inherit" | "ignore" | ((line: string) => void);
  readonly stderr: "inherit" | "ignore" | ((line: string) => void);
}

/** A running process. Neither promise rejects. */
export interface Child {
  /** Undefined when the process could not be started. */
  readonly pid: number | undefined;
  /** Resolves the moment the process is gone. */
  readonly exited: Promise<ChildExit>;
  /** Resolves once its last line has been passed on as well, which a grandchild that holds the pipe may delay. */
  readonly closed: Promise<void>;
  kill(signal: NodeJS.Signals): void;
  /** Signal the child and all that it has started, but for what has left its process group. Not with `foreground`. */
  killGroup(signal: NodeJS.Signals): void;
  /** Take no further output: what holds its pipes beyond its end must not hold this side of them. */
  closeOutput(): void;
}

/** Start a process, in its own session unless told otherwise. */
export function spawnChild(options: ChildOptions): Child {
  let subprocess: ChildProcess;
  try {
    subprocess = start(options);
  } catch (error) {
    return neverStarted(notStarted(error));
  }
  // Who has read enough closes it early.
  subprocess.stdin?.on("error", () => undefined).end(options.input);
  for (const [stream, target] of [
    [subprocess.stdout, options.stdout],
    [subprocess.stderr, options.stderr],
  ] as const) {
    // A failed start may have left none.
    if (stream && typeof target === "function") readLines(stream, target);
  }
  const exited = Promise.withResolvers<ChildExit>();
  const closed = Promise.withResolvers<undefined>();
  subprocess.once("exit", (code, signal) => {
    exited.resolve(signal === null ? { kind: "exited", code: code ?? 0 } : { kind: "signaled", signal });
  });
  subprocess.once("close", () => {
    closed.resolve(undefined);
  });
  subprocess.on("error", (error) => {
    // A running process has errors too, as when it must not be signaled.
    if (subprocess.pid !== undefined) return;
    exited.resolve(notStarted(error));
    // What was not started may never close.
    closed.resolve(undefined);
  });
  return {
    pid: subprocess.pid,
    exited: exited.promise,
    closed: closed.promise,
    kill: (signal) => {
      subprocess.kill(signal);
    },
    killGroup: (signal) => {
      if (subprocess.pid === undefined || options.foreground === true) return;
      try {
        process.kill(-subprocess.pid, signal);
      } catch {
        // Nobody is left in it.
      }
    },
    closeOutput: () => {
      subprocess.stdout?.destroy();
      subprocess.stderr?.destroy();
    },
  };
}

function start({
  file,
  args,
  cwd,
  foreground = false,
  input,
  env,
  addEnv,
  stdout,
  stderr,
}: ChildOptions): ChildProcess {
  const stdio = (target: ChildOptions["stdout"]): "inherit" | "ignore" | "pipe" =>
    typeof target === "function" ? "pipe" : target;
  return spawn(file, args, {
    detached: !foreground,
    stdio: [foreground ? "inherit" : input === undefined ? "ignore" : "pipe", stdio(stdout), stdio(stderr)],
    cwd,
    env: env ?? { ...originalEnvironment(ownEnvironment), ...addEnv },
  });
}

function notStarted(error: unknown): ChildExit {
  return { kind: "not-started", message: errorMessage(error), code: errorCode(error) };
}

/** What Node.js refuses at once, such as an argument with a zero byte, ends as what the kernel refuses. */
function neverStarted(exit: ChildExit): Child {
  return {
    pid: undefined,
    exited: Promise.resolve(exit),
    closed: Promise.resolve(),
    kill: () => undefined,
    killGroup: () => undefined,
    closeOutput: () => undefined,
  };
}

/** Longest line passed on in one piece, in characters. */
const maxLineLength = 64 * 1024;

function readLines(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
    if (rest.length > maxLineLength) {
      onLine(rest);
      rest = "";
    }
  });
  stream.on("end", () => {
    if (rest !== "") onLine(rest);
  });
}
