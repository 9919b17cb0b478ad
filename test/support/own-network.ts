/** Runs a program in a network namespace of its own, where kernel settings may be changed. */
import { execFileSync } from "node:child_process";
import { spawnChild } from "../../src/lifecycle/child.ts";

export interface OwnNetworkOptions {
  /** Kernel settings of the namespace, such as `net.ipv4.tcp_migrate_req`. */
  readonly sysctls: Readonly<Record<string, number>>;
  /** Path of a module that reads its options from its first argument and writes its result as its last line. */
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

/** Resolves with what the program said last. */
export async function inOwnNetwork<T>({ sysctls, program, options }: OwnNetworkOptions): Promise<T> {
  const settings = Object.entries(sysctls).map(
    ([name, value]) => `echo ${value} > /proc/sys/${name.replaceAll(".", "/")}`,
  );
  const script = ["set -e", "ip link set lo up", ...settings, 'exec "$@"'].join("\n");
  const lines: string[] = [];
  const errors: string[] = [];
  const child = spawnChild({
    file: "unshare",
    args: ["--net", "sh", "-c", script, "sh", process.execPath, program, JSON.stringify(options)],
    stdout: (line) => lines.push(line),
    stderr: (line) => errors.push(line),
  });
  const exit = await child.exited;
  if (exit.kind !== "exited" || exit.code !== 0)
    throw new Error(
      `${program} ended: ${JSON.stringify(exit)}\n${[...lines, ...errors].slice(-30).join("\n")}`,
    );
  return JSON.parse(lines.at(-1) ?? "") as T;
}
