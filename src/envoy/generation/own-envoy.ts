/**
 * Whether the process that a record names is the Envoy that an agent started from that folder.
 *
 * A record is a file, and a pid in it may be anybody's: nothing is signalled before start time, program and a mark that
 * only that Envoy got in its environment agree.
 */
import { randomUUID } from "node:crypto";
import { realpathSync } from "node:fs";
import { isSameAndRunning, type ProcessIdentity } from "../../process/identity.ts";
import { lookAtProcess, type ProcessLook } from "../../process/look.ts";

/** The variable in Envoy's environment that holds its generation's mark. */
export const markVariable = "OUTRIDER_GENERATION_MARK";

/** A mark for one generation. */
export function newMark(): string {
  return randomUUID();
}

/** What is known of an Envoy beside its pid. */
export interface EnvoyMarks {
  /** Path of the binary that was started. */
  readonly binary: string;
  /** Path of the program that the process ran at once; undefined when it could not be seen. */
  readonly executable: string | undefined;
  /** Undefined in a record of a release that made none. */
  readonly mark: string | undefined;
}

/** The program of a process that was just started. */
export function executableOf(pid: number): string | undefined {
  return lookAtProcess(pid)?.executable;
}

/** Why the process at this pid is not that Envoy, or not any more; undefined when it is. */
export function whyNotThatEnvoy(
  identity: ProcessIdentity,
  marks: EnvoyMarks,
  bootstrapPath: string,
): string | undefined {
  const look = lookAtProcess(identity.pid);
  if (look === undefined || !isSameAndRunning(identity, look.stat)) return "it is gone";
  return differenceFrom(marks, look, bootstrapPath, realPath(marks.binary));
}

/** `whyNotThatEnvoy` of a running process as a function of what was read. */
export function differenceFrom(
  { mark, executable }: EnvoyMarks,
  look: Pick<ProcessLook, "executable" | "environment" | "commandLine">,
  bootstrapPath: string,
  binary: string,
): string | undefined {
  if (look.environment === undefined) {
    // A binary with file capabilities is closed to its own user. Of another user's process no signal would come through.
    const isStartedSo = look.commandLine.some(
      (word, at, all) => word === "-c" && all[at + 1] === bootstrapPath,
    );
    return isStartedSo ? undefined : "its environment cannot be read and its command line is another";
  }
  if (mark === undefined || !look.environment.includes(`${markVariable}=${mark}`))
    return "its environment lacks the mark of this generation";
  // A script that was started in Envoy's place becomes another program.
  const isScript = executable !== undefined && executable !== binary;
  if (!isScript && look.executable !== binary && look.executable !== executable)
    return `it runs ${look.executable ?? "an unknown program"}, and not ${executable ?? binary}`;
  return undefined;
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
