/**
 * The folders that a user names for the demo mesh.
 */
import { accessSync, constants, statSync } from "node:fs";
import { makeOwnFolder } from "../files/own-folder.ts";
import { errorMessage } from "../lifecycle/error-message.ts";

/** What keeps them from being used, one line each. The folder for the state is made where it is missing. */
export function folderProblems(configFolder: string | undefined, stateDir: string): readonly string[] {
  return [
    ...problemOf("--configDir", configFolder, (path) => {
      if (!statSync(path).isDirectory()) throw new Error(`${path} is no folder`);
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
