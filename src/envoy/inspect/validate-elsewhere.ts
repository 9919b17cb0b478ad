/**
 * Envoy's own check of a bootstrap with nothing written where an agent works: for whoever only looks.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PreparedLaunch } from "../generation/launch.ts";
import { pathsIn } from "../generation/layout.ts";
import { sharedMemoryFolder } from "../generation/shared-memory.ts";
import { askWhetherValid } from "./ask-binary.ts";
import type { Validation } from "./validation.ts";

/** @throws Error when there is no place for a temporary file */
export async function validateElsewhere(launch: PreparedLaunch, cancel: AbortSignal): Promise<Validation> {
  const paths = pathsIn(makeTemporaryFolder());
  try {
    writeFileSync(paths.bootstrap, launch.bootstrap, { mode: 0o600 });
    return await askWhetherValid(launch, paths.bootstrap, cancel);
  } finally {
    rmSync(paths.folder, { recursive: true, force: true });
  }
}

/** A container's root may be read-only: any of the usual places will do. */
function makeTemporaryFolder(): string {
  for (const place of [tmpdir(), sharedMemoryFolder]) {
    try {
      return mkdtempSync(join(place, "outrider-validate-"));
    } catch {
      continue;
    }
  }
  throw new Error(
    `neither ${tmpdir()} nor ${sharedMemoryFolder} can be written, for a bootstrap to validate`,
  );
}
