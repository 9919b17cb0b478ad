/**
 * The shared memory of Envoy's hot restart: one small file in `/dev/shm` per base ID, which Envoy leaves behind even
 * when it exits in order.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from "node:fs";
import { errorMessage } from "../../lifecycle/error-message.ts";

/** Where Envoy keeps its segments. */
export const sharedMemoryFolder = "/dev/shm";

/** Size of Envoy's `SharedMemory` structure, in bytes (hot restart version 11). */
const segmentBytes = 104;

/** Envoy's hot restart version 11: its own number and the flags stand at these offsets. */
const layout = { versionOffset: 8, version: 11n, flagsOffset: 96 } as const;

/** Where the segment of a base ID is: Envoy multiplies it by ten to leave room for restart epochs. */
export function sharedMemoryPath(baseId: number): string {
  return `${sharedMemoryFolder}/envoy_shared_memory_${baseId * 10}`;
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

/**
 * Clear the flag by which a starting Envoy keeps others from starting. To be called when that Envoy is dead.
 *
 * @returns undefined, or why it cannot be cleared
 */
export function clearInitializingFlag(path: string): string | undefined {
  let file: number | undefined;
  try {
    file = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const { size, uid } = fstatSync(file);
    if (uid !== process.geteuid?.()) return `${path} belongs to user ${uid}`;
    const header = Buffer.alloc(layout.versionOffset + 8);
    readSync(file, header, 0, header.length, 0);
    const version = header.readBigUInt64LE(layout.versionOffset);
    if (size !== segmentBytes || version !== layout.version) {
      return `${path} has ${size} bytes of version ${version}, which this release does not know`;
    }
    writeSync(file, Buffer.alloc(1), 0, 1, layout.flagsOffset);
    return undefined;
  } catch (error) {
    return errorMessage(error);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
