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

/** open(2); Node.js has no name for it. */
const O_PATH = 0o10000000;

/**
 * All but the descriptors that an agent holds on purpose and takes one after the other: those that are held back for
 * probes, and those by which a socket is found again that has lost its name.
 */
function openFilesOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).filter((fd) => {
    try {
      const flags = /^flags:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, "utf8"))?.[1];
      const isHandle = (Number.parseInt(flags ?? "0", 8) & O_PATH) !== 0;
      return !isHandle && readlinkSync(`/proc/${pid}/fd/${fd}`) !== "/dev/null";
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
