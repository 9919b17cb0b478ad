/**
 * What one process is, seen at once: its times, its program and its environment.
 *
 * A pid may be somebody else's between two reads, so everything is read through a descriptor of the process' folder in
 * `/proc`, which leads nowhere once that process is gone.
 */
import { closeSync, constants, openSync, readFileSync, readlinkSync } from "node:fs";
import { parseProcessStat, type ProcessStat } from "./identity.ts";

/** One process. */
export interface ProcessLook {
  readonly stat: ProcessStat;
  /** Path of the program that it runs; undefined when this user may not see it. */
  readonly executable: string | undefined;
  /** `NAME=value` of its start; undefined when this user may not see them. */
  readonly environment: readonly string[] | undefined;
  readonly commandLine: readonly string[];
}

/** Undefined when there is no such process. */
export function lookAtProcess(pid: number): ProcessLook | undefined {
  let folder: number | undefined;
  try {
    folder = openSync(`/proc/${pid}`, constants.O_RDONLY | constants.O_DIRECTORY);
    const at = `/proc/self/fd/${folder}`;
    const stat = parseProcessStat(readFileSync(`${at}/stat`, "utf8"));
    if (stat === undefined) return undefined;
    return {
      stat,
      executable: orUndefined(() => readlinkSync(`${at}/exe`).replace(/ \(deleted\)$/, "")),
      environment: orUndefined(() => words(readFileSync(`${at}/environ`, "utf8"))),
      commandLine: orUndefined(() => words(readFileSync(`${at}/cmdline`, "utf8"))) ?? [],
    };
  } catch {
    // ENOENT or ESRCH: it is gone.
    return undefined;
  } finally {
    if (folder !== undefined) closeSync(folder);
  }
}

function words(text: string): readonly string[] {
  return text.split("\0").filter((word) => word !== "");
}

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
