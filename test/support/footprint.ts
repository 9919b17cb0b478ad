/** What a process holds. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { eventually } from "./eventually.ts";

export interface Footprint {
  readonly openFiles: number;
  readonly threads: number;
  readonly rssMiB: number;
}

export function footprintOf(pid: number): Footprint {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return {
    openFiles: openFilesOf(pid),
    threads: Number(/Threads:\s+(\d+)/.exec(status)?.[1]),
    rssMiB: Math.round(Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1_024),
  };
}

/** All but the descriptors that are held back for probes, which an agent takes one after the other. */
function openFilesOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).filter((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`) !== "/dev/null";
    } catch {
      // Closed since the folder was read.
      return false;
    }
  }).length;
}

/** Resolves once a process holds hardly more than before; what was closed last is given back after a moment. */
export async function assertNotGrown(pid: number, before: Footprint, mostMiB: number): Promise<void> {
  await eventually(
    "files given back",
    () => {
      const after = footprintOf(pid);
      // One connection that has just begun may be among them, and one that is asked for this.
      assert.ok(after.openFiles <= before.openFiles + 2, JSON.stringify({ before, after }));
    },
    { withinMs: 20_000, everyMs: 200 },
  );
  const after = footprintOf(pid);
  assert.equal(after.threads, before.threads);
  assert.ok(after.rssMiB - before.rssMiB < mostMiB, JSON.stringify({ before, after }));
}
