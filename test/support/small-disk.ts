/** Runs a program on a disk of its own that is soon full: a small tmpfs in a mount namespace. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { spawnChild } from "../../src/lifecycle/child.ts";
import { temporaryFolder } from "./temporary-folder.ts";

export interface SmallDiskOptions {
  readonly kibibytes: number;
  /** Path of a module that calls `answerAsProgram`; its options are `{ disk }`, the folder of the disk. */
  readonly program: string;
}

/** Why there can be no such disk; undefined when there can. A failure in CI, where there must be. */
export function whyNoSmallDisk(): string | undefined {
  try {
    execFileSync("unshare", ["--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], { stdio: "pipe" });
    return undefined;
  } catch (error) {
    if (process.env["CI"] === "true") throw error;
    return "needs the privilege to mount in a namespace";
  }
}

/** Resolves with the program's result. */
export async function onSmallDisk<T>({ kibibytes, program }: SmallDiskOptions): Promise<T> {
  using folder = temporaryFolder();
  using disk = temporaryFolder();
  const resultPath = join(folder.path, "result.json");
  const script = `set -e\nmount -t tmpfs -o size=${kibibytes}k,mode=0700 tmpfs "$1"\nshift\nexec "$@"`;
  const lines: string[] = [];
  const onLine = (line: string): void => {
    lines.push(line);
  };
  const options = JSON.stringify({ disk: disk.path });
  const child = spawnChild({
    file: "unshare",
    args: ["--mount", "sh", "-c", script, "sh", disk.path, process.execPath, program, options, resultPath],
    stdout: onLine,
    stderr: onLine,
  });
  const exit = await child.exited;
  await child.closed;
  if (exit.kind !== "exited" || exit.code !== 0)
    throw new Error(`${program} ended: ${JSON.stringify(exit)}\n${lines.slice(-30).join("\n")}`);
  return JSON.parse(readFileSync(resultPath, "utf8")) as T;
}
