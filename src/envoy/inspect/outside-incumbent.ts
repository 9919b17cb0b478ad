/**
 * The Envoy that is to be replaced, as it can be seen from beside its agent.
 */
import type { ListenerFacts } from "../admin/listeners.ts";
import { CgroupMemory } from "../exits/cgroup-memory.ts";
import type { PreparedLaunch } from "../generation/launch.ts";
import { hotRestartObstacle, noBaseId } from "../generation/lineage.ts";
import { type MemoryRoom, memoryRoom } from "./headroom.ts";
import { type HotRestartFacts, whyNotHotCapable } from "./hot-restart.ts";
import type { Incumbent } from "./inspect.ts";
import { isSameProgram, programAt } from "./program-identity.ts";
import type { RunningEnvoy } from "./running-envoy.ts";

/** Why nobody can take over from it by hot restart, as far as the agent or its command line tell. */
export function hotObstacleOf(
  { arguments: args, baseId, report }: Pick<RunningEnvoy, "arguments" | "baseId" | "report">,
  machineObstacle: string | undefined,
): string | undefined {
  if (args.includes("--disable-hot-restart")) return whyNotHotCapable(machineObstacle);
  return report?.hotRestartObstacle ?? (baseId === undefined ? noBaseId : undefined);
}

/** Worker threads that a command line asks for; undefined leaves their number to Envoy. */
export function workersIn(args: readonly string[]): number | undefined {
  const at = args.indexOf("--concurrency");
  return at < 0 ? undefined : Number(args[at + 1]);
}

/** What an inspection asks of it. */
export function incumbentOf(running: RunningEnvoy): Incumbent {
  return {
    listeners: (): Promise<readonly ListenerFacts[] | undefined> => Promise.resolve(running.listeners),
    hotRestart: ({ binary, options }: PreparedLaunch): Omit<HotRestartFacts, "versions"> => ({
      obstacle: hotObstacleOf(running, hotRestartObstacle()),
      workers: { running: workersIn(running.arguments), wanted: options.concurrency },
      isSameBinary: running.binary === undefined || isSameProgram(running.binary, programAt(binary)),
    }),
    hotRestartVersion: (): Promise<string> => {
      const { info } = running;
      return info === undefined
        ? Promise.reject(new Error("the running Envoy's admin interface does not answer"))
        : Promise.resolve(info.hotRestartVersion);
    },
    memory: (): MemoryRoom | undefined => {
      const memory = CgroupMemory.find({ pid: running.agent.pid });
      // This process is gone by then.
      const leavingBytes = memory.isSameAs(CgroupMemory.find()) ? process.memoryUsage.rss() : 0;
      return memoryRoom(memory, running.pid, leavingBytes);
    },
  };
}
