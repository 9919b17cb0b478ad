/** What a control plane that is not there costs: a minute of flapping, and a partition longer than its detection. */
import { join } from "node:path";
import { runFlaps } from "../support/flapping.ts";
import { inOwnNetwork } from "../support/own-network.ts";
import type { PartitionResult } from "../support/partition.ts";
import { printFigure, printTable } from "./table.ts";

/** Longer than it takes to find a connection dead: 30 s of silence and 10 s for the answer to a ping. */
const partitionMs = 60_000;

/** False when a request failed. */
export async function measureControlPlane({ flaps }: { readonly flaps: number }): Promise<boolean> {
  const flapping = await runFlaps({ flaps, periodMs: 1_000, killEvery: 10 });
  printFigure("control plane flapping", flapping);
  const partition = await inOwnNetwork<PartitionResult>({
    sysctls: {},
    program: join(import.meta.dirname, "../support/partition-main.ts"),
    options: { forMs: partitionMs },
  });
  printFigure("control plane partitioned", partition);
  const row = (
    name: string,
    result: { requests: number; failed: readonly string[]; convergedMs: number },
  ) => [
    name,
    `${result.failed.length} of ${result.requests}`,
    `${(result.convergedMs / 1_000).toFixed(1)} s`,
  ];
  printTable(
    ["control plane", "failed requests", "newest configuration at Envoy after"],
    [
      row(`flapping each second, ${flaps} times, killed at each tenth`, flapping),
      row(`partitioned for ${partitionMs / 1_000} s`, partition),
    ],
  );
  return flapping.failed.length + partition.failed.length === 0;
}
