/**
 * The shared memory of Envoy's hot restart: one small file in `/dev/shm` per base ID, which Envoy leaves behind even
 * when it exits in order.
 */
import { lstatSync, readdirSync, readFileSync, rmSync } from "node:fs";

/** Size of Envoy's `SharedMemory` structure, in bytes (hot restart version 11). */
const segmentBytes = 104;

/** Where the segment of a base ID is: Envoy multiplies it by ten to leave room for restart epochs. */
export function sharedMemoryPath(baseId: number): string {
  return `/dev/shm/envoy_shared_memory_${baseId * 10}`;
}

/**
 * Remove the segment of a base ID of ours whose Envoys are gone.
 *
 * It stays when it is not what Envoy makes (size, kind), when another user owns it, and when a process maps it:
 * another Envoy may have chosen the same base ID since.
 *
 * @returns true when it was removed
 */
export function removeSharedMemory(baseId: number): boolean {
  const path = sharedMemoryPath(baseId);
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isFile() !== true || stat.size !== segmentBytes) return false;
  if (stat.uid !== process.geteuid?.() || isMapped(path)) return false;
  rmSync(path, { force: true });
  return true;
}

/** Its mode is 0600, so whoever maps it is this user, whose maps can be read, or root. */
function isMapped(path: string): boolean {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .some((pid) => {
      try {
        return readFileSync(`/proc/${pid}/maps`, "utf8")
          .split("\n")
          .some((line) => line.endsWith(` ${path}`));
      } catch {
        return false;
      }
    });
}
