/**
 * What sets the Envoy that configuration asks for apart from the one that runs.
 */

import { isSameProgram, type ProgramIdentity } from "../envoy/inspect/program-identity.ts";

/** One difference. */
export interface Change {
  readonly what: "bootstrap" | "arguments" | "binary" | "file";
  /** For people, without secrets. */
  readonly detail: string;
}

/**
 * What is seen from outside, held against what the agent goes by: the fingerprints of both launches. A file that was
 * written again as it was is no change to it, and a program that was touched is one.
 *
 * @param fingerprints the running one is undefined when its agent does not tell
 */
export function decideChanges(
  fingerprints: { readonly running: string | undefined; readonly wanted: string },
  seen: readonly Change[],
): readonly Change[] {
  const { running, wanted } = fingerprints;
  if (running === wanted) return [];
  if (running === undefined || seen.length > 0) return seen;
  return [
    { what: "file", detail: "Envoy's binary or a file that it reads is another one than at its start" },
  ];
}

/** Flags that say how an Envoy stands to others, or where its files are, and how many values each has. */
const roleFlags: Readonly<Record<string, number>> = {
  "-c": 1,
  "--disable-hot-restart": 0,
  "--parent-shutdown-time-s": 1,
  "--skip-hot-restart-parent-stats": 0,
  "--restart-epoch": 1,
  "--use-dynamic-base-id": 0,
  "--base-id-path": 1,
  "--base-id": 1,
};

/** Arguments without those that differ from generation to generation of one configuration. */
export function withoutRole(args: readonly string[]): readonly string[] {
  const kept: string[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const flag = args[index] ?? "";
    const values = roleFlags[flag];
    if (values === undefined) kept.push(flag);
    else index += values;
  }
  return kept;
}

/** One line per flag that is new, gone, or has another value. */
export function argumentChanges(running: readonly string[], wanted: readonly string[]): readonly Change[] {
  const [before, after] = [flagsOf(withoutRole(running)), flagsOf(withoutRole(wanted))];
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((flag): readonly Change[] => {
    const [from, to] = [before.get(flag), after.get(flag)];
    if (from === to) return [];
    if (from === undefined)
      return [{ what: "arguments", detail: `${flag} ${to ?? ""} is new`.replace("  ", " ") }];
    if (to === undefined)
      return [{ what: "arguments", detail: `${flag} ${from} is gone`.replace("  ", " ") }];
    return [{ what: "arguments", detail: `${flag} ${from} becomes ${to}` }];
  });
}

function flagsOf(args: readonly string[]): ReadonlyMap<string, string> {
  const flags = new Map<string, string>();
  let current: string | undefined;
  for (const word of args) {
    if (word.startsWith("-")) {
      current = word;
      flags.set(word, "");
    } else if (current !== undefined) {
      flags.set(current, [flags.get(current), word].filter((part) => part !== "").join(" "));
    }
  }
  return flags;
}

/** Whether another program would be run. */
export function binaryChange(
  running: ProgramIdentity | undefined,
  wanted: ProgramIdentity,
): readonly Change[] {
  if (running === undefined) return [];
  if (isSameProgram(running, wanted)) return [];
  const detail =
    running.path === wanted.path
      ? `${wanted.path} has been replaced`
      : `${running.path} becomes ${wanted.path}`;
  return [{ what: "binary", detail }];
}

/** Files that Envoy reads by their path and that were written after it was started. */
export function fileChanges(
  files: readonly { readonly path: string; readonly writtenAt: Date | undefined }[],
  startedAt: Date,
): readonly Change[] {
  return files
    .filter(({ writtenAt }) => writtenAt !== undefined && writtenAt > startedAt)
    .map(({ path }) => ({ what: "file", detail: `${path} was written after Envoy's start` }));
}
