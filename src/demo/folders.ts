/**
 * The folders that a user names for the demo mesh.
 */
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { makeOwnFolder } from "../files/own-folder.ts";
import { errorMessage } from "../lifecycle/error-message.ts";

/** What keeps them from being used, one line each. The folder for the state is made where it is missing. */
export function folderProblems(configFolder: string | undefined, stateDir: string): readonly string[] {
  return [
    ...problemOf("--configDir", configFolder, (path) => {
      // One that is missing is made and filled, where there is a place for it.
      const found = statSync(existsSync(path) ? path : dirname(path));
      if (!found.isDirectory()) throw new Error(`${path} is no folder`);
      if (!existsSync(path)) return;
      accessSync(path, constants.R_OK | constants.X_OK);
    }),
    ...problemOf("--stateDir", stateDir, makeOwnFolder),
  ];
}

function problemOf(flag: string, path: string | undefined, use: (path: string) => void): readonly string[] {
  if (path === undefined) return [];
  try {
    use(path);
    return [];
  } catch (error) {
    return [`${flag}: ${errorMessage(error)}: name a folder that this user may use`];
  }
}
