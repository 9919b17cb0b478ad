/** Swap after swap, with a kill now and then: what is left behind once it is over. */
import { envoysOf, pidsIn, sharedMemoryOf } from "./envoys-of.ts";
import { eventually } from "./eventually.ts";
import { givenBackMs, type Leaks, leaksOf, leftOver, settledSnapshot, takeSnapshot } from "./leaks.ts";
import { StandaloneSidecar } from "./standalone-sidecar.ts";
import { temporaryFolder } from "./temporary-folder.ts";

export interface SwapLeaksOptions {
  readonly mode: "hot" | "overlap" | "cold";
  readonly swaps: number;
  /** The active Envoy is killed once in so many swaps, at least two. */
  readonly killEvery: number;
}

export interface SwapLeaksFigures {
  readonly swapped: number;
  /** What became of the others. */
  readonly others: readonly string[];
  readonly kills: number;
  readonly leaks: Leaks;
}

export async function runSwapLeaks({ mode, swaps, killEvery }: SwapLeaksOptions): Promise<SwapLeaksFigures> {
  using folder = temporaryFolder();
  await using sidecar = await StandaloneSidecar.ready({
    folder: folder.path,
    flags: ["--swapMode", mode, "--restartBudget", "1000"],
    proxyConfig: { terminationDrainDuration: "0s" },
  });
  // What is made with the first swap and kept is no leak.
  await sidecar.swap();
  await alone(sidecar);
  const before = await settledSnapshot(sidecar);
  const memories = new Set<string>();
  const others: string[] = [];
  let kills = 0;
  for (let count = 1; count <= swaps; count += 1) {
    const { report } = await sidecar.swap();
    if (report.result !== "swapped") others.push(JSON.stringify(report));
    for (const { pid } of envoysOf(sidecar.folder)) memories.add(sharedMemoryOf(pid) ?? "");
    // Not after the last one: an Envoy that was started after a death has other files than one that took over.
    if (count % killEvery !== killEvery - 1) continue;
    process.kill(await sidecar.envoyPid(), "SIGKILL");
    kills += 1;
    await sidecar.ready();
  }
  await alone(sidecar);
  const after = await eventually(
    "nothing left over",
    () => {
      const seen = takeSnapshot(sidecar);
      if (leftOver(before, seen).length > 0) throw new Error("something is");
      return seen;
    },
    { withinMs: givenBackMs },
  ).catch(() => takeSnapshot(sidecar));
  sidecar.agent.kill("SIGTERM");
  await sidecar.agent.exitWithin(15_000);
  memories.delete("");
  const leaks = leaksOf({ before, after, folder: sidecar.folder, memories: [...memories] });
  return { swapped: swaps - others.length, others, kills, leaks };
}

async function alone({ folder }: StandaloneSidecar): Promise<void> {
  await eventually(
    "one Envoy alone",
    () => {
      const pids = pidsIn(folder);
      if (pids.length !== 2) throw new Error(`processes ${pids.join()}`);
    },
    { withinMs: 30_000 },
  );
}
