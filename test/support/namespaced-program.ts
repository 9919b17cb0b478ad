/** A program of the tests' own in namespaces of its own, with a result. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { spawnChild } from "../../src/process/child.ts";
import { temporaryFolder } from "./temporary-folder.ts";

export interface NamespacedProgram {
  /** The namespaces: a flag of unshare(1). */
  readonly namespace: "--net" | "--mount";
  /** Shell commands that prepare it; a failed one is the end. */
  readonly prepare: readonly string[];
  /** Path of a module that calls `answerAsProgram`. */
  readonly program: string;
  readonly options: object;
}

/** `otherwise` when a command in such a namespace fails; undefined when it works. A failure in CI, where it must. */
export function whyNoNamespace(command: readonly string[], otherwise: string): string | undefined {
  try {
    execFileSync("unshare", command, { stdio: "pipe" });
    return undefined;
  } catch (error) {
    if (process.env["CI"] === "true") throw error;
    return otherwise;
  }
}

/** What such a program does: options from its first argument, the result to the file that its second names. */
export async function answerAsProgram(run: (options: never) => Promise<unknown>): Promise<void> {
  const [options = "{}", resultPath = ""] = process.argv.slice(2);
  writeFileSync(resultPath, JSON.stringify(await run(JSON.parse(options) as never)));
}

/** Resolves with the program's result. */
export async function inNamespace<T>({
  namespace,
  prepare,
  program,
  options,
}: NamespacedProgram): Promise<T> {
  const script = ["set -e", ...prepare, 'exec "$@"'].join("\n");
  using folder = temporaryFolder();
  const resultPath = join(folder.path, "result.json");
  const lines: string[] = [];
  const onLine = (line: string): void => {
    lines.push(line);
  };
  const child = spawnChild({
    file: "unshare",
    args: [
      namespace,
      "sh",
      "-c",
      script,
      "sh",
      process.execPath,
      program,
      JSON.stringify(options),
      resultPath,
    ],
    stdout: onLine,
    stderr: onLine,
  });
  const exit = await child.exited;
  await child.closed;
  if (exit.kind !== "exited" || exit.code !== 0)
    throw new Error(`${program} ended: ${JSON.stringify(exit)}\n${lines.slice(-30).join("\n")}`);
  return JSON.parse(readFileSync(resultPath, "utf8")) as T;
}
