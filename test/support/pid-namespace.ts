/** PID namespaces of the test's own: what is started in one gets PID 1, and all of it ends with that. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { readProcessStat, type ProcessStat } from "../../src/process/identity.ts";

/** Goes before a command line. The process that it starts stays outside and passes the exit code on. */
export const inPidNamespace = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"] as const;

/** Why there can be none here, as a test's `skip`; in CI that is a failure and not a reason. */
export function noPidNamespace(): string | false {
  const [unshare, ...args] = inPidNamespace;
  try {
    execFileSync(unshare, [...args, "true"], { stdio: "pipe" });
    return false;
  } catch (error) {
    if (process.env["CI"] === "true")
      throw new Error("CI needs PID namespaces: run as root", { cause: error });
    return "needs root for a PID namespace";
  }
}

/** PID 1 of the namespace that `unshare` made, as it is called outside. */
export function initOf(unsharePid: number): number {
  const [init] = childrenOf(unsharePid);
  if (init === undefined) throw new Error(`unshare ${unsharePid} has started nothing yet`);
  return init.pid;
}

/** The children of a process, zombies included. */
export function childrenOf(pid: number): readonly ProcessStat[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
    .split(" ")
    .filter((word) => word !== "")
    .flatMap((word) => readProcessStat(Number(word)) ?? []);
}

export function zombiesOf(pid: number): readonly ProcessStat[] {
  return childrenOf(pid).filter(({ state }) => state === "Z");
}

/**
 * Leave orphans in the namespace of `init`, as an exec probe does: some still run when their parent ends, some are
 * zombies by then. Nothing but PID 1 collects them.
 */
export function leaveOrphans(init: number, count: number): void {
  const program = `for (1..${count}) { unless (fork) { fork or exit 3; exit } wait }`;
  execFileSync("nsenter", ["--target", String(init), "--pid", "--mount", "perl", "-e", program], {
    stdio: "pipe",
    timeout: 60_000,
  });
}
