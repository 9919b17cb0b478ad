/**
 * What a command says of the workload.
 */
import { spawnChild } from "../process/child.ts";
import { sleep } from "../lifecycle/sleep.ts";
import type { ProbeMethod, ProbeResult } from "./method.ts";

type ExecCheck = Extract<ProbeMethod, { kind: "exec" }>;

/** How much of its last line is told, in characters. */
const maxOutput = 200;

/** From a command's end to the end of its output, in milliseconds. */
const lastWordsMs = 100;

/**
 * Run the command to its end. When `signal` aborts, it is killed with all that it has started.
 *
 * @throws the signal's reason
 */
export async function probeExec({ file, args }: ExecCheck, signal: AbortSignal): Promise<ProbeResult> {
  let lastLine = "";
  const note = (line: string): void => {
    if (line.trim() !== "") lastLine = line.trim().slice(0, maxOutput);
  };
  const child = spawnChild({ file, args, stdout: note, stderr: note });
  const kill = (): void => {
    child.killGroup("SIGKILL");
  };
  signal.addEventListener("abort", kill, { once: true });
  try {
    const exit = await child.exited;
    signal.throwIfAborted();
    if (exit.kind === "not-started")
      return { kind: "unhealthy", reason: `${file} cannot be started: ${exit.message}` };
    if (exit.kind === "exited" && exit.code === 0) return { kind: "healthy" };
    // What it wrote just before its end has still to arrive, but something else may hold the pipe.
    await Promise.race([child.closed, sleep(lastWordsMs, signal)]);
    const end = exit.kind === "exited" ? `exited with code ${exit.code}` : `was ended by ${exit.signal}`;
    return { kind: "unhealthy", reason: `${file} ${end}${lastLine === "" ? "" : `: ${lastLine}`}` };
  } finally {
    signal.removeEventListener("abort", kill);
    child.closeOutput();
  }
}
