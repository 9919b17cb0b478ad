/**
 * Whether memory holds an Envoy, and a second one beside it while it is swapped.
 */
import { CgroupMemory, type MemoryFigures } from "../envoy/exits/cgroup-memory.ts";
import { bytesToStart, fitsBeside } from "../envoy/inspect/headroom.ts";
import { residentBytes } from "../process/memory.ts";
import { formatBytes } from "./bytes.ts";
import { failure, type Finding, ok, warning } from "./finding.ts";
import type { RunningAgent } from "../envoy/inspect/running-agent.ts";

/** What decides. */
export interface MemoryRoom {
  readonly figures: MemoryFigures;
  /** Memory of the greatest running Envoy; undefined when none runs. */
  readonly envoyBytes: number | undefined;
  /** Memory of this process, which is gone afterwards; 0 where it counts against another limit. */
  readonly ownBytes: number;
}

const name = "memory";

/** An Envoy 1.40 with a small configuration. */
const idleEnvoyBytes = 66 * 1_048_576;

const raise = "raise the container's memory limit (sidecar.istio.io/proxyMemoryLimit in Kubernetes)";

/** A swap needs room for two, a start for one. */
export function judgeMemory({ figures, envoyBytes, ownBytes }: MemoryRoom): Finding {
  const { headroomBytes, limitBytes } = figures;
  if (headroomBytes === undefined) return ok(name, "no limit is known");
  const limit = limitBytes === undefined ? "no limit" : `a limit of ${formatBytes(limitBytes)}`;
  if (envoyBytes !== undefined) {
    const free = headroomBytes + ownBytes;
    const seen = `${limit}; ${formatBytes(free)} are free, and the running Envoy uses ${formatBytes(envoyBytes)}`;
    if (fitsBeside({ envoyBytes, freeBytes: free })) return ok(name, `${seen}: a second one fits`);
    return warning(
      name,
      `${seen}: a second one does not fit`,
      `${raise}: until then Envoy is swapped cold, which drops connections`,
    );
  }
  // This process stands for the agent, which takes as much.
  const needed = bytesToStart(idleEnvoyBytes);
  const seen = `${limit}; ${formatBytes(headroomBytes)} are free beside an agent`;
  if (headroomBytes < needed) {
    return failure(name, `${seen}, and an Envoy takes at least ${formatBytes(needed)}`, raise);
  }
  if (headroomBytes < 2 * needed) {
    return warning(
      name,
      `${seen}: not enough for a second Envoy of at least ${formatBytes(needed)}`,
      `${raise}: until then Envoy is swapped cold, which drops connections`,
    );
  }
  return ok(name, `${seen}: two Envoys fit while they are small`);
}

/** The figures of the agent's cgroup, or of this process' where none runs, and of the running Envoys. */
export function lookAtMemory(agent: RunningAgent): MemoryRoom {
  const sizes = agent.envoys.flatMap((pid) => residentBytes(pid) ?? []);
  const own = CgroupMemory.find();
  const memory = agent.pid === undefined ? own : CgroupMemory.find({ pid: agent.pid });
  return {
    figures: memory.figures(),
    envoyBytes: sizes.length === 0 ? undefined : Math.max(...sizes),
    ownBytes: memory.isSameAs(own) ? process.memoryUsage.rss() : 0,
  };
}
