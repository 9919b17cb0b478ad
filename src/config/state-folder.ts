/**
 * The folder of what the control plane must keep: its root, its key, and the key of the tokens that it issues (XDG base
 * directory specification).
 */
import { homedir } from "node:os";
import { join } from "node:path";
import { readSystemVariables } from "../schema/system-variables.ts";

/** Where it was until one place served every way to run a control plane. */
const formerFolder = ".outrider";

/** The user's: `$XDG_STATE_HOME/outrider`, or `~/.local/state/outrider`. */
export function userStateFolder(env: Readonly<Record<string, string | undefined>>): string {
  const { HOME: home, XDG_STATE_HOME: states } = readSystemVariables(env);
  return join(states || join(home || homedir(), ".local/state"), "outrider");
}

/**
 * That of `outrider discovery`.
 *
 * @param named by --stateDir; without it a folder that an earlier release has made in the current one goes on serving
 */
export function discoveryStateFolder(
  named: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  exists: (path: string) => boolean,
): string {
  return named ?? (exists(formerFolder) ? formerFolder : userStateFolder(env));
}
