/** The failure modes of Envoy's hot restart under outrider, some rounds of each. */
import { join } from "node:path";
import type { FailureFigures } from "../support/failure-modes/subject.ts";
import { failureModes } from "../support/failure-modes/table.ts";
import { inOwnNetwork } from "../support/own-network.ts";
import { describeSpread, summarize } from "../support/summary.ts";
import { printFigure, printTable } from "./table.ts";

const program = join(import.meta.dirname, "../support/failure-modes/main.ts");

/** False when one of them costs more than it may. */
export async function measureFailures({ rounds }: { readonly rounds: number }): Promise<boolean> {
  const rows: string[][] = [];
  let isWithin = true;
  for (const { name, mayFail, withoutAdminMs, healMs } of failureModes) {
    const seen: FailureFigures[] = [];
    for (let round = 0; round < rounds; round += 1) {
      seen.push(
        await inOwnNetwork<FailureFigures>({
          sysctls: { "net.ipv4.tcp_migrate_req": 1 },
          program,
          options: { name },
        }),
      );
    }
    const failed = seen.map((figures) => figures.failed);
    const total = seen.reduce((sum, figures) => sum + figures.total, 0);
    const admin = seen.map((figures) => figures.withoutAdminMs);
    const heal = seen.map((figures) => figures.healMs);
    const most = { failed: Math.max(...failed), admin: Math.max(...admin), heal: Math.max(...heal) };
    if (most.failed > mayFail || most.admin > withoutAdminMs || most.heal > healMs) isWithin = false;
    rows.push([
      name,
      `${failed.join(", ")} of ${total}`,
      String(mayFail),
      describeSpread(admin),
      describeSpread(heal),
    ]);
    printFigure(name, { failed, mayFail, total, withoutAdminMs: summarize(admin), healMs: summarize(heal) });
  }
  printTable(["failure", "failed requests, per round", "bound", "without admin", "healed after"], rows);
  return isWithin;
}
