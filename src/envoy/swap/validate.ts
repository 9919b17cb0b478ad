/**
 * Envoy's own check of a bootstrap before anything is started from it, with the file where Envoys have theirs: what it
 * holds is no other user's business.
 */
import { writeFileAtomic } from "../../files/atomic-file.ts";
import { makeFolder } from "../../files/folder.ts";
import { makeOwnFolder, removeFromOwnFolder } from "../../files/own-folder.ts";
import { join } from "node:path";
import type { PreparedLaunch } from "../generation/launch.ts";
import { generationsFolder, pathsIn } from "../generation/layout.ts";
import { askWhetherValid } from "../inspect/ask-binary.ts";
import type { Validation } from "../inspect/validation.ts";

const candidateName = "candidate";

/**
 * Check `launch` with its own binary.
 *
 * @throws FolderNotOursError, or the system error when the bootstrap cannot be written
 */
export async function validate(launch: PreparedLaunch, cancel: AbortSignal): Promise<Validation> {
  const generations = generationsFolder(launch.options.configPath);
  const paths = pathsIn(join(generations, candidateName));
  makeOwnFolder(generations);
  try {
    removeFromOwnFolder(generations, [candidateName]);
    makeFolder(paths.folder, 0o700);
    writeFileAtomic(paths.bootstrap, launch.bootstrap);
    return await askWhetherValid(launch, paths.bootstrap, cancel);
  } finally {
    removeFromOwnFolder(generations, [candidateName]);
  }
}
