/**
 * Envoy's hot restart keeps a small segment in `/dev/shm`; without a writable one an Envoy that asks for it aborts.
 */
import { accessSync, constants, statfsSync } from "node:fs";
import { sharedMemoryFolder } from "../envoy/generation/shared-memory.ts";
import { errorCode, errorMessage } from "../lifecycle/error-message.ts";
import { formatBytes } from "./bytes.ts";
import { failure, type Finding, ok, warning } from "./finding.ts";

/** The folder as it was found. */
export type SharedMemory =
  | { readonly kind: "missing" }
  | { readonly kind: "not-writable"; readonly reason: string }
  | { readonly kind: "writable"; readonly freeBytes: number };

const name = "shared-memory";

/** Envoy's segment has 104 bytes; it takes one page. */
const pageBytes = 4_096;

const mountIt = `mount a writable tmpfs at ${sharedMemoryFolder} (in Kubernetes an emptyDir with medium: Memory)`;

/** @param required hot swaps were asked for by name, so there is nothing to fall back to */
export function judgeSharedMemory(seen: SharedMemory, required: boolean): Finding {
  const verdict = required ? failure : warning;
  const loss = required ? "" : "; until then outrider swaps Envoy without hot restart";
  switch (seen.kind) {
    case "missing":
      return verdict(name, `${sharedMemoryFolder} does not exist`, `${mountIt}${loss}`);
    case "not-writable":
      return verdict(
        name,
        `${sharedMemoryFolder} cannot be written: ${seen.reason}`,
        `${mountIt}, or let outrider's user write there${loss}`,
      );
    case "writable":
      if (seen.freeBytes >= pageBytes)
        return ok(name, `${sharedMemoryFolder} is writable, ${formatBytes(seen.freeBytes)} free`);
      return verdict(
        name,
        `${sharedMemoryFolder} is full: ${seen.freeBytes} bytes free`,
        `remove what fills it, or give it a larger size${loss}`,
      );
  }
}

/** Look, without writing. */
export function lookAtSharedMemory(): SharedMemory {
  try {
    accessSync(sharedMemoryFolder, constants.W_OK | constants.X_OK);
    const { bavail, bsize, blocks } = statfsSync(sharedMemoryFolder);
    // A tmpfs without a limit reports no blocks at all.
    return { kind: "writable", freeBytes: blocks === 0 ? Number.MAX_SAFE_INTEGER : bavail * bsize };
  } catch (error) {
    if (errorCode(error) === "ENOENT") return { kind: "missing" };
    return { kind: "not-writable", reason: errorMessage(error) };
  }
}
