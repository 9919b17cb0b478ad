/** Envoys of captured pods replaced under a client of an application that counts what it gets. */
import type { ReloadReport } from "../../src/status/contract/reload-report.ts";
import { eventually } from "./eventually.ts";
import { describeLoad, startLoadGenerator } from "./load/generator.ts";
import type { RunningOutrider } from "./outrider.ts";

/** A sidecar whose configuration can be changed. */
export interface Swappable {
  readonly agent: RunningOutrider;
  /** Change the labels of its pod, and ask `outrider reload` what became of it, unless the agent has seen it by itself. */
  readonly change: () => Promise<ReloadReport>;
}

export interface CapturedSwaps {
  /** In the order of the sidecars, to the first that was not done. */
  readonly reports: readonly ReloadReport[];
  /** How they were done, by the agents' logs. */
  readonly modes: readonly string[];
  /** Requests that were answered while Envoys came and went, to the end of the last one that was replaced. */
  readonly answered: number;
  readonly failed: number;
  /** For the reader of a failed test. */
  readonly summary: string;
}

/** How many requests there are at least after the last Envoy that was replaced has gone. */
const after = 20;

/** One sidecar after the other, while `run` has a client call `host`. */
export async function swapUnderLoad(
  sidecars: readonly Swappable[],
  { host, run, withinMs }: { host: string; run: (...words: string[]) => readonly string[]; withinMs: number },
): Promise<CapturedSwaps> {
  await using load = await startLoadGenerator({
    ...{ host, port: 80, authority: host, run, timeoutMs: withinMs },
    groups: [
      { kind: "http1-new", clients: 4, perSecond: 20 },
      { kind: "http1-keep-alive", clients: 4, perSecond: 20 },
    ],
  });
  const reports: ReloadReport[] = [];
  for (const { agent, change } of sidecars) {
    const old = envoyOf(agent);
    const report = await change();
    reports.push(report);
    if (report.result !== "swapped" && report.result !== "unchanged") break;
    await eventually("the replaced Envoy is gone", () => expectGone(old), { withinMs });
  }
  const enough = load.total() + after;
  await eventually(
    "requests after the last swap",
    () => {
      if (load.total() < enough) throw new Error(`${load.total()} requests`);
    },
    { withinMs },
  );
  const result = await load.stop();
  const modes = sidecars.flatMap(({ agent }) => matches(agent, /swapping Envoy.*\smode=(\w+)/));
  return {
    reports,
    modes,
    answered: result.ok,
    failed: result.failures.length,
    summary: describeLoad(result),
  };
}

/** The pid of the Envoy that it started last. */
function envoyOf(agent: RunningOutrider): number {
  const pid = matches(agent, /Envoy started.*\spid=(\d+)/).at(-1);
  if (pid === undefined) throw new Error(agent.lines.join("\n"));
  return Number(pid);
}

/** The group of the pattern, of each line that has it. */
function matches({ lines }: RunningOutrider, pattern: RegExp): readonly string[] {
  return lines.flatMap((line) => pattern.exec(line)?.[1] ?? []);
}

function expectGone(pid: number): void {
  try {
    process.kill(pid, 0);
  } catch {
    return;
  }
  throw new Error(`Envoy ${pid} runs`);
}
