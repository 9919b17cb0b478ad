/**
 * The last bootstrap that was proven to serve, kept on disk for the next agent in this folder.
 */
import { readOwnText } from "../../files/read-regular-file.ts";
import { join } from "node:path";
import { writeFileAtomic } from "../../files/atomic-file.ts";
import { errorCode } from "../../lifecycle/error-message.ts";
import type { EnvoyOptions } from "./options.ts";
import { type PreparedLaunch, withBootstrap } from "./launch.ts";
import { lastGoodName } from "./layout.ts";

/** A bootstrap with many static resources has a few MiB. */
const maxBootstrapBytes = 2 ** 26;

/** @throws the system error when it cannot be written */
export function saveLastGood(launch: PreparedLaunch): void {
  writeFileAtomic(join(launch.options.configPath, lastGoodName), launch.bootstrap);
}

/**
 * A launch from the kept bootstrap with this agent's binary and options; undefined when there is none.
 *
 * @throws SyntaxError when it is not JSON, or the system error when it cannot be read
 */
export function loadLastGood(binary: string, options: EnvoyOptions): PreparedLaunch | undefined {
  try {
    const bootstrap = readOwnText(join(options.configPath, lastGoodName), { maxBytes: maxBootstrapBytes });
    return withBootstrap(binary, options, bootstrap);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
