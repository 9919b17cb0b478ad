/** Runs a program in a network namespace of its own, where kernel settings may be changed. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { spawnChild } from "../../src/lifecycle/child.ts";
import { temporaryFolder } from "./temporary-folder.ts";

export interface OwnNetworkOptions {
  /** Kernel settings of the namespace, such as `net.ipv4.tcp_migrate_req`. */
  readonly sysctls: Readonly<Record<string, number>>;
  /** Path of a module that calls `answerAsProgram`. */
  readonly program: string;
  readonly options: object;
}

/** Why there can be no such namespace; undefined when there can. A failure in CI, where there must be. */
export function whyNoOwnNetwork(): string | undefined {
  try {
    execFileSync("unshare", ["--net", "ip", "link", "set", "lo", "up"], { stdio: "pipe" });
    return undefined;
  } catch (error) {
    if (process.env["CI"] === "true") throw error;
    return "needs the privilege to make a network namespace, and ip(8)";
  }
}

/** What such a program does: options from its first argument, the result to the file that its second names. */
export async function answerAsProgram(run: (options: never) => Promise<unknown>): Promise<void> {
  const [options = "{}", resultPath = ""] = process.argv.slice(2);
  writeFileSync(resultPath, JSON.stringify(await run(JSON.parse(options) as never)));
}

/** Resolves with the program's result. */
export async function inOwnNetwork<T>({ sysctls, program, options }: OwnNetworkOptions): Promise<T> {
  const settings = Object.entries(sysctls).map(
    ([name, value]) => `echo ${value} > /proc/sys/${name.replaceAll(".", "/")}`,
  );
  const script = ["set -e", "ip link set lo up", ...settings, 'exec "$@"'].join("\n");
  using folder = temporaryFolder();
  const resultPath = join(folder.path, "result.json");
  const lines: string[] = [];
  const onLine = (line: string): void => {
    lines.push(line);
  };
  const child = spawnChild({
    file: "unshare",
    args: ["--net", "sh", "-c", script, "sh", process.execPath, program, JSON.stringify(options), resultPath],
    stdout: onLine,
    stderr: onLine,
  });
  const exit = await child.exited;
  await child.closed;
  if (exit.kind !== "exited" || exit.code !== 0)
    throw new Error(`${program} ended: ${JSON.stringify(exit)}\n${lines.slice(-30).join("\n")}`);
  return JSON.parse(readFileSync(resultPath, "utf8")) as T;
}
