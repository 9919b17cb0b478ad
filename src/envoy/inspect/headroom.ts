/**
 * Whether memory holds a second Envoy beside the one that runs.
 */
import { residentBytes } from "../../process/memory.ts";
import type { CgroupMemory } from "../exits/cgroup-memory.ts";

/** In bytes. */
export interface MemoryRoom {
  /** What the running Envoy uses. */
  readonly envoyBytes: number;
  /** What can still be taken. */
  readonly freeBytes: number;
}

/** A newcomer needs what the running Envoy uses and some room to load its configuration. */
const headroomFactor = 1.2;

/** What an Envoy that comes to use `envoyBytes` at rest needs, in bytes. */
export function bytesToStart(envoyBytes: number): number {
  return envoyBytes * headroomFactor;
}

/** Whether a second one fits. */
export function fitsBeside({ envoyBytes, freeBytes }: MemoryRoom): boolean {
  return freeBytes >= bytesToStart(envoyBytes);
}

/**
 * Undefined when it is not known.
 *
 * @param memory of the cgroup that the newcomer will be in
 * @param leavingBytes what is used now by somebody who is gone by then
 */
export function memoryRoom(memory: CgroupMemory, envoyPid: number, leavingBytes = 0): MemoryRoom | undefined {
  const envoyBytes = residentBytes(envoyPid);
  const { headroomBytes } = memory.figures();
  if (envoyBytes === undefined || headroomBytes === undefined) return undefined;
  return { envoyBytes, freeBytes: headroomBytes + leavingBytes };
}
