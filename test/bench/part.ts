/** A script of the bench in a process of its own, with the flags that the release gives to Node.js. */
import { flagWords, nodeFlags } from "../../src/build/release/node-flags.ts";
import { addedVariables } from "../../src/process/own-environment.ts";
import { type Child, spawnChild } from "../../src/process/child.ts";
import { eventually } from "../support/eventually.ts";

export interface Part extends AsyncDisposable {
  readonly pid: number;
  /** What it has printed; it prints a line when it is ready. */
  readonly lines: readonly string[];
}

/** Start it and wait for its first line. */
export async function startPart(script: string, args: readonly string[]): Promise<Part> {
  const lines: string[] = [];
  const onLine = (line: string): void => {
    lines.push(line);
  };
  const child: Child = spawnChild({
    file: process.execPath,
    args: [...nodeFlags, ...flagWords("resting"), script, ...args],
    env: { PATH: process.env["PATH"] ?? "", ...Object.fromEntries(addedVariables) },
    stdout: onLine,
    stderr: onLine,
  });
  await eventually(
    script,
    () => {
      if (lines.length === 0) throw new Error("it has printed nothing yet");
    },
    { withinMs: 20_000 },
  );
  return {
    pid: child.pid ?? 0,
    lines,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}
