/**
 * A program from its commands: argv and environment in, exit code out. The only subscriber to signals.
 */
import { join } from "node:path";
import { readCommandLine } from "./command/command-line.ts";
import { terminalKeys } from "./command/terminal-keys.ts";
import { asksForJson } from "./command/log-form.ts";
import type { CommandContext, Program } from "./command/command.ts";
import { linger } from "./init/linger.ts";
import { subscribeToSignals } from "./init/signals.ts";
import { type Escape, escaped, guarded } from "./lifecycle/guard.ts";
import { hiddenEnvironment, launchedVariable, originalEnvironment } from "./process/own-environment.ts";
import { fatalLine, type LogFields } from "./telemetry/log.ts";
import { StandardStreams } from "./telemetry/standard-streams.ts";

// What is meant for the Node.js of an application must not change this one: the launcher hides it, or a new start.
const environment = hiddenEnvironment(process.env);
if (environment !== undefined)
  process.execve?.(
    process.execPath,
    [process.execPath, ...process.execArgv, ...process.argv.slice(1)],
    environment,
  );

// A library's use of Node.js is not the operator's business.
process.noDeprecation = true;

// A terminal that was closed, or a reader that went away, must not keep the program from stopping in order.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);

/** Exit code of a program that has failed itself. */
const failed = 1;

const signals = subscribeToSignals(process, performance.now.bind(performance));
const standard = new StandardStreams();
const printError = (line: string): void => {
  standard.writer("stderr").write(`${line}\n`);
};

/** The command writes a log: what ends it is a line of that. */
let hasLog = false;

/** @param text says it all to a person */
function sayFatal(message: string, text: string, fields: LogFields = { reason: text }, stack = ""): void {
  const json = asksForJson(process.argv.slice(2));
  if (json || hasLog) {
    const entry = { message: json ? message : text, text: "", fields, stack };
    standard.writer("stderr").write(fatalLine(entry, json, new Date()));
  } else for (const line of [text, stack]) if (line !== "") printError(line);
}

async function run(program: Program, argv: readonly string[]): Promise<number> {
  await using init =
    process.pid === 1 ? (await import("./init/pid1.ts")).startInit(process, printError) : undefined;
  const invocation = await readCommandLine(argv, program);
  if (invocation.kind === "print") {
    if (invocation.code === 0) process.stdout.write(`${invocation.text}\n`);
    else sayFatal("the command line is wrong", invocation.text);
    return invocation.code;
  }
  hasLog = invocation.command.hasLog === true;
  signals.hangupMeans(invocation.command.hangup ?? "stop");
  const { command } = invocation;
  const context: CommandContext = {
    program,
    env: originalEnvironment(process.env),
    pid: process.pid,
    self:
      (process.env[launchedVariable] ?? "") !== ""
        ? { file: join(import.meta.dirname, "../bin", program.name), args: [] }
        : { file: process.execPath, args: [...process.execArgv, ...process.argv.slice(1, 2)] },
    templates: join(import.meta.dirname, "../bootstrap-templates"),
    manifests: join(import.meta.dirname, "../docker/kubernetes"),
    terminal: process.stdout.isTTY
      ? {
          columns: () => process.stdout.columns,
          rows: () => process.stdout.rows,
          write: (text) => process.stdout.write(text),
          keys: (listener) =>
            terminalKeys(process.stdin, listener, () => process.kill(process.pid, "SIGINT")),
        }
      : undefined,
    print: (line) => process.stdout.write(`${line}\n`),
    printError,
    standard,
    shutdown: signals.shutdown,
    hurry: signals.hurry,
    reloadRequests: signals.reloadRequests,
    reopenLogsRequests: signals.reopenLogsRequests,
    childChanges: signals.childChanges,
    init,
    passSignalsTo: (listener) => {
      signals.passTo(listener);
    },
  };
  return await guarded({ part: `${program.name} ${command.name}` }, () =>
    command.run(invocation.args, context),
  );
}

/** How long those who read the last lines may take nothing, and how long they may take, in milliseconds. */
const lastLines = { stallMs: 1_000, mostMs: 5_000 } as const;

// One request is not worth a process, and a process that must end says why.
for (const event of ["uncaughtException", "unhandledRejection"] as const) {
  process.on(event, (error: unknown) => {
    const escape = escaped(error);
    if (escape.kind === "fatal") void fail(escape);
  });
}

async function fail({ part, reason, frames }: Extract<Escape, { kind: "fatal" }>): Promise<void> {
  sayFatal(
    "outrider ends by an unexpected error",
    `outrider ends: an unexpected error in ${part}: ${reason}`,
    { part, reason },
    frames.join("\n"),
  );
  await end(failed);
  leave(failed);
}

/**
 * libuv waits for its threads when a process ends, and a name server or a file system that does not answer, or a reader
 * who does not read, keeps one busy for long; another program in the same process has no such threads.
 */
function leave(code: number): void {
  process.execve?.(process.execPath, [process.execPath, "--eval", `process.exitCode = ${code}`], {});
  process.exit(code);
}

/** @param argv what was asked for, without the interpreter and the script */
export function runProgram(program: Program, argv: readonly string[] = process.argv.slice(2)): void {
  // Not a top-level await: the release bundle is CommonJS.
  void run(program, argv).then(end);
}

async function end(code: number): Promise<void> {
  process.exitCode = code;
  const isWritten = await standard.flush(lastLines);
  if (!isWritten || process.getActiveResourcesInfo().includes("GetAddrInfoReqWrap")) leave(code);
  linger([process.stdout, process.stderr], () => {
    leave(code);
  });
}
