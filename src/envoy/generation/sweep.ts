/**
 * Folders of generations that are gone and could not be removed when they ended, as on a disk that was read-only.
 */
import { readdirSync } from "node:fs";
import { inOwnFolder, removeFromOwnFolder } from "../../files/own-folder.ts";
import { isGeneration } from "./layout.ts";

/**
 * Remove the folders of all generations but the living ones.
 *
 * @param folder `generations/` in the config path
 * @throws FolderNotOursError or the system error
 */
export function sweepGenerations(folder: string, living: ReadonlySet<string>): void {
  const names = inOwnFolder(folder, (anchored) => readdirSync(anchored)) ?? [];
  removeFromOwnFolder(
    folder,
    names.filter((name) => isGeneration(name) && !living.has(name)),
  );
}
