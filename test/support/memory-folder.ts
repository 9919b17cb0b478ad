/** A folder in memory that is gone after its scope. */
import { mkdtempSync, rmSync } from "node:fs";
import type { TemporaryFolder } from "./temporary-folder.ts";

export function memoryFolder(): TemporaryFolder {
  const path = mkdtempSync("/dev/shm/outrider-");
  return {
    path,
    [Symbol.dispose]: () => {
      rmSync(path, { recursive: true, force: true });
    },
  };
}
