/**
 * The folder in which agents and control planes of this user say where they are (XDG base directory specification).
 */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { textsOfVariable } from "../schema/own-variables.ts";
import { readSystemVariables } from "../schema/system-variables.ts";

/** @param named by --runtimeFolder; empty follows the rule */
export function runtimeFolder(
  named: string,
  env: Readonly<Record<string, string | undefined>>,
  uid: number,
): string {
  if (named !== "") return named;
  if (uid === 0) return "/run/outrider";
  const { XDG_RUNTIME_DIR: runtime } = readSystemVariables(env);
  return runtime === "" ? join(tmpdir(), `outrider-${uid}`) : join(runtime, "outrider");
}

/** The same where nothing but the environment may name it. */
export function runtimeFolderHere(env: Readonly<Record<string, string | undefined>>): string {
  const named = textsOfVariable(env, "runtimeFolder")?.texts.at(-1) ?? "";
  return runtimeFolder(named, env, process.getuid?.() ?? 0);
}
