/**
 * Envoy's own check of a bootstrap (`--mode validate`), with nothing written where the agent works.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { envoyArguments } from "../envoy/generation/arguments.ts";
import type { EnvoyOptions } from "../envoy/generation/options.ts";
import { sharedMemoryFolder } from "../envoy/generation/shared-memory.ts";
import { type EnvoyRun, runEnvoy } from "./envoy-run.ts";

/** @throws Error when there is no place for a temporary file */
export async function validateBootstrap(
  binary: string,
  options: EnvoyOptions,
  bootstrap: string,
  signal: AbortSignal,
): Promise<EnvoyRun> {
  const folder = makeTemporaryFolder();
  try {
    const path = join(folder, "envoy.json");
    writeFileSync(path, bootstrap, { mode: 0o600 });
    const args = [...envoyArguments(options, path, { kind: "alone" }), "--mode", "validate"];
    return await runEnvoy(binary, args, signal);
  } finally {
    rmSync(folder, { recursive: true, force: true });
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
