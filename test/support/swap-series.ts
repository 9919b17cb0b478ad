/** Swap after swap of a sidecar under load: what was lost, and how long each took. */
import { sleep } from "../../src/lifecycle/sleep.ts";
import { eventually } from "./eventually.ts";
import type { ClientGroup } from "./load/options.ts";
import { type LoadResult, startLoadGenerator } from "./load/generator.ts";
import { StandaloneSidecar, type TimedReload } from "./standalone-sidecar.ts";
import { temporaryFolder } from "./temporary-folder.ts";

export interface SwapSeriesOptions {
  readonly mode: "hot" | "overlap" | "cold" | "auto";
  readonly swaps: number;
  /** More swaps follow until there were so many requests. */
  readonly leastRequests?: number;
  /** Requests per second of all kinds of clients. */
  readonly perSecond: number;
  readonly groups?: readonly ClientGroup[];
}

export interface SwapSeries {
  readonly swaps: readonly TimedReload[];
  readonly load: LoadResult;
  /** Pids of the Envoys that served, first to last. */
  readonly pids: readonly number[];
}

/** How long one swap may take: it waits for the Envoy of the swap before to be gone. */
const swapMs = 30_000;

export async function runSwapSeries(options: SwapSeriesOptions): Promise<SwapSeries> {
  using folder = temporaryFolder();
  await using sidecar = await StandaloneSidecar.ready({
    folder: folder.path,
    flags: ["--swapMode", options.mode],
  });
  await using load = await startLoadGenerator({
    port: sidecar.trafficPort,
    perSecond: options.perSecond,
    ...(options.groups === undefined ? {} : { groups: options.groups }),
  });
  const swaps: TimedReload[] = [];
  const pids = [await sidecar.envoyPid()];
  while (swaps.length < options.swaps || load.total() < (options.leastRequests ?? 0)) {
    swaps.push(await sidecar.swap(undefined, swapMs));
    pids.push(await sidecar.envoyPid());
  }
  // The last replaced Envoy has connections until it is gone.
  await eventually("the last replaced Envoy gone", () => gone(pids.at(-2) ?? 0), { withinMs: 10_000 });
  await sleep(200);
  return { swaps, load: await load.stop(), pids };
}

function gone(pid: number): void {
  try {
    process.kill(pid, 0);
  } catch {
    return;
  }
  throw new Error(`Envoy ${pid} still runs`);
}
