/**
 * `outrider run -- CMD`: an application beside a sidecar, from the moment that the sidecar serves, and the end of
 * the sidecar with it.
 */
import { unusableCode } from "../command/exit-codes.ts";
import type { WaitResult } from "./sidecar.ts";
import type { Command, CommandContext } from "../command/command.ts";
import { failedCode, stoppedCode } from "./stopped-code.ts";
import { waitFlags } from "./wait.ts";

/** Ends with CMD's own exit code, or 128 + signal. */
export const runCommand: Command = {
  name: "run",
  passesOn: "CMD [argument…]",
  describe: "Wait for the sidecar, run CMD, and let the sidecar end with it; exit code of CMD.",
  summary: "Run CMD once the sidecar is ready, and end it after",
  exitCodes: [
    { code: "CMD's own, or 128 + signal", meaning: "CMD has run" },
    { code: 126, meaning: "CMD cannot be executed" },
    { code: 127, meaning: "there is no such command" },
    { code: 255, meaning: "no sidecar was ready in time" },
  ],
  flags: {
    ...waitFlags,
    timeoutFatal: {
      type: "boolean",
      default: true,
      describe: "Do not run CMD when the sidecar is not ready in time; false runs it all the same.",
    },
    quitSidecar: {
      type: "boolean",
      default: true,
      describe: "Let the sidecar end when CMD has; false where it serves other containers too.",
    },
  },
  async run(args, context) {
    const sidecar = await import("./sidecar.ts");
    const location = sidecar.locate(context);
    const options = sidecar.waitOptions(args, location);
    const [file, ...words] = args.words;
    if (options === undefined || file === undefined) {
      context.printError(options === undefined ? sidecar.waitUsage : "Name the command after --.");
      return unusableCode;
    }
    const tell = (reason: string): void => {
      context.printError(`outrider run: waiting: ${reason}`);
    };
    const result = await sidecar.waitForSidecar(options, context.shutdown, tell, quietMs);
    let code: number;
    if (result.kind === "stopped" || context.shutdown.aborted) {
      code = stoppedCode(context.shutdown);
    } else if (result.kind === "timeout" && args.boolean("timeoutFatal")) {
      context.printError(notReady(result, options.timeoutMs, `${file} is not run`));
      code = failedCode;
    } else {
      if (result.kind === "timeout") {
        context.printError(notReady(result, options.timeoutMs, `${file} runs without it`));
      }
      code = await runForeground(file, words, context);
    }
    if (args.boolean("quitSidecar")) {
      const port = location.statusPort === 0 ? location.adminPort : location.statusPort;
      await quit(sidecar.letSidecarGo(port, result.kind === "ready" ? quitWithinMs : 0), port, context);
    }
    return code;
  },
};

/** An application's log is no place for an ordinary start, which takes less than this, in milliseconds. */
const quietMs = 10_000;

/** How long a sidecar that was ready may take to accept its end, in milliseconds. */
const quitWithinMs = 5_000;

function notReady(
  { lastError, isThere }: Pick<Extract<WaitResult, { kind: "timeout" }>, "lastError" | "isThere">,
  timeoutMs: number,
  consequence: string,
): string {
  const hint = isThere ? "" : "Is there one in this pod? ";
  return `outrider run: no sidecar became ready within ${timeoutMs / 1_000} s, ${consequence}. ${hint}Last error: ${lastError}`;
}

async function quit(
  asking: Promise<string | undefined>,
  port: number,
  context: CommandContext,
): Promise<void> {
  const problem = await asking;
  if (problem === undefined) return;
  context.printError(`outrider run: the sidecar was not told to end (localhost:${port}: ${problem})`);
}

/** Exit codes of a command that cannot be run, as a shell has them. */
const notFound = 127;
const notExecutable = 126;

async function runForeground(
  file: string,
  words: readonly string[],
  context: CommandContext,
): Promise<number> {
  const [{ spawnChild }, { exitCodeOf }, { terminalSends }] = await Promise.all([
    import("../process/child.ts"),
    import("../envoy/exits/exit.ts"),
    import("../init/terminal-signals.ts"),
  ]);
  const child = spawnChild({ file, args: words, foreground: true, stdout: "inherit", stderr: "inherit" });
  context.passSignalsTo((name) => {
    if (!terminalSends(name)) child.kill(name);
  });
  const exit = await child.exited;
  if (exit.kind !== "not-started") return exitCodeOf(exit);
  context.printError(`outrider run: ${file} could not be run: ${exit.message}`);
  return exit.code === "EACCES" ? notExecutable : notFound;
}
