/**
 * Where the files of Envoys are: `<configPath>/generations/<number>/`, one folder for each of them, and beside
 * `generations/` what is kept longer than one.
 */
import { join } from "node:path";

/** The file that shows the active bootstrap, where Istio's users look for it. */
export const activeBootstrapName = "envoy-rev.json";

/** The bootstrap that served last. */
export const lastGoodName = "last-good.json";

/** The flight recorder's folder. */
export const recorderName = "flight-recorder";

/** The folder that holds one folder for each generation. */
export function generationsFolder(configPath: string): string {
  return join(configPath, "generations");
}

/** Whether a folder in there is a generation's: anything else is not ours to read or to remove. */
export function isGeneration(name: string): boolean {
  return /^\d+$/.test(name);
}

/** Paths of one generation. */
export interface GenerationPaths {
  readonly folder: string;
  readonly adminSocket: string;
  readonly bootstrap: string;
  /** Where the first Envoy of a lineage writes the base ID that it chose (`--base-id-path`). */
  readonly baseId: string;
}

/** The paths of generation `number`. */
export function generationPaths(configPath: string, number: number): GenerationPaths {
  return pathsIn(join(generationsFolder(configPath), String(number)));
}

/** The paths of the generation whose folder this is. */
export function pathsIn(folder: string): GenerationPaths {
  return {
    folder,
    adminSocket: join(folder, "admin.sock"),
    bootstrap: join(folder, "envoy.json"),
    baseId: join(folder, "base-id"),
  };
}
