/**
 * PID 1 of this PID namespace: whether a request to stop reaches outrider, and whether orphans are collected.
 */
import { basename } from "node:path";
import { isDead } from "../process/identity.ts";
import { type Finding, ok, warning } from "./finding.ts";

/** What is known of the namespace. */
export interface PidNamespace {
  /** Command line of PID 1, one word each; empty when it cannot be read. */
  readonly init: readonly string[];
  /** This process' own pids, outermost namespace first (`NSpid` of `/proc/self/status`). */
  readonly depth: number;
  /** Processes whose parent is PID 1, by state. */
  readonly childStates: readonly string[];
  /** Pid of the agent that runs here; undefined when none does. */
  readonly agentPid: number | undefined;
}

const name = "pid-1";
const shells = new Set(["sh", "bash", "dash", "ash", "busybox"]);

/** Shells as PID 1 keep SIGTERM to themselves, so the sidecar would be killed undrained. */
export function judgePidNamespace({ init, depth, childStates, agentPid }: PidNamespace): Finding {
  const program = basename(init[0] ?? "");
  const command = init.join(" ").slice(0, 120);
  const zombies = childStates.filter((state) => isDead(state)).length;
  if (agentPid === 1) return ok(name, "outrider is PID 1 here");
  if (shells.has(program)) {
    return warning(
      name,
      `PID 1 is a shell (${command}), which does not pass SIGTERM on`,
      "start outrider with exec, or as the container's entry point: else it is killed at the end of the grace period, undrained",
    );
  }
  if (zombies > 0) {
    return warning(
      name,
      `PID 1 (${command}) has left ${zombies} ended processes uncollected`,
      "use outrider, or an init such as tini, as PID 1",
    );
  }
  const where =
    depth > 1 ? `in a PID namespace of its own, depth ${depth}` : "in the machine's PID namespace";
  return ok(name, `PID 1 is ${command === "" ? "another user's process" : command}, ${where}`);
}

/** How many PID namespaces a process is in, from its `/proc/<pid>/status`. */
export function namespaceDepth(status: string): number {
  return /^NSpid:\s*(.+)$/m.exec(status)?.[1]?.trim().split(/\s+/).length ?? 1;
}
