/**
 * `process.json` in a generation's folder: which Envoy runs from it, and for which agent.
 *
 * It is there for an agent that starts after this one was killed; see `strays.ts`.
 */
import { join } from "node:path";
import { writeFileAtomic } from "../../files/atomic-file.ts";
import { errorCode, errorMessage } from "../../lifecycle/error-message.ts";
import { readOwnText } from "../../files/read-regular-file.ts";
import { bootId, identityOf, type ProcessIdentity } from "../../process/identity.ts";
import { pathsIn } from "./layout.ts";
import { type EnvoyMarks, executableOf } from "./own-envoy.ts";

/** The content of `process.json`. */
export interface ProcessRecord extends EnvoyMarks {
  /** The boot that the start times count from; undefined when the kernel does not tell. */
  readonly bootId: string | undefined;
  readonly envoy: ProcessIdentity;
  readonly agent: ProcessIdentity;
  /** Envoy's `--base-id`; undefined without hot restart and while Envoy has yet to choose one. */
  readonly baseId: number | undefined;
  /** Of the launch that it was started from, see `launch.ts`; undefined in a record of a release that wrote none. */
  readonly fingerprint: string | undefined;
}

/** Name of the record in a generation's folder. */
export const recordName = "process.json";

/**
 * Write down which Envoy runs from `folder`. To be called in the same turn as the spawn, so that Envoy is at least
 * a zombie, and again once its base ID is known, if that is not in the folder's file `base-id`.
 *
 * @throws the system error when the file cannot be written
 */
export function recordProcess(
  folder: string,
  started: {
    readonly pid: number;
    readonly binary: string;
    /** What it has in its environment, see `own-envoy.ts`. */
    readonly mark: string;
    readonly fingerprint: string;
    readonly baseId?: number;
  },
): void {
  const envoy = identityOf(started.pid);
  const agent = identityOf(process.pid);
  // Without /proc nobody could look for it later either.
  if (envoy === undefined || agent === undefined) return;
  const record: ProcessRecord = {
    bootId: bootId(),
    envoy,
    agent,
    binary: started.binary,
    executable: executableOf(started.pid),
    mark: started.mark,
    baseId: started.baseId,
    fingerprint: started.fingerprint,
  };
  writeFileAtomic(join(folder, recordName), `${JSON.stringify(record)}\n`);
}

/** A record as it was found. */
export type FoundRecord =
  | { readonly kind: "record"; readonly record: ProcessRecord }
  | { readonly kind: "missing" }
  | { readonly kind: "corrupt"; readonly reason: string };

/** The record of a generation's folder; never throws. */
export function readRecord(folder: string): FoundRecord {
  let text: string;
  try {
    text = readOwnText(join(folder, recordName));
  } catch (error) {
    if (errorCode(error) === "ENOENT") return { kind: "missing" };
    return { kind: "corrupt", reason: errorMessage(error) };
  }
  const found = parseRecord(text);
  if (found.kind !== "record" || found.record.baseId !== undefined) return found;
  return { kind: "record", record: { ...found.record, baseId: chosenBaseId(folder) } };
}

/** The record in `text`. Fields that it does not know are left alone: a newer version may have more. */
export function parseRecord(text: string): FoundRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { kind: "corrupt", reason: errorMessage(error) };
  }
  if (!isObject(value)) return { kind: "corrupt", reason: "it is not an object" };
  const { envoy, agent, binary, executable, mark, baseId, bootId: boot, fingerprint } = value;
  if (!isIdentity(envoy)) return { kind: "corrupt", reason: "envoy has no pid and startTime" };
  if (!isIdentity(agent)) return { kind: "corrupt", reason: "agent has no pid and startTime" };
  if (typeof binary !== "string") return { kind: "corrupt", reason: "binary is not a string" };
  if (baseId !== undefined && !isCount(baseId)) return { kind: "corrupt", reason: "baseId is not a number" };
  if (!isOptionalText(boot)) return { kind: "corrupt", reason: "bootId is not a string" };
  if (!isOptionalText(executable)) return { kind: "corrupt", reason: "executable is not a string" };
  if (!isOptionalText(mark)) return { kind: "corrupt", reason: "mark is not a string" };
  if (!isOptionalText(fingerprint)) return { kind: "corrupt", reason: "fingerprint is not a string" };
  return {
    kind: "record",
    record: {
      bootId: boot,
      envoy: { pid: envoy.pid, startTime: envoy.startTime },
      agent: { pid: agent.pid, startTime: agent.startTime },
      binary,
      executable,
      mark,
      baseId,
      fingerprint,
    },
  };
}

function chosenBaseId(folder: string): number | undefined {
  try {
    const text = readOwnText(pathsIn(folder).baseId).trim();
    return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
  } catch {
    // Envoy without hot restart writes none.
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** Pid 0 and negative ones would address a process group. */
function isIdentity(value: unknown): value is ProcessIdentity {
  return isObject(value) && isCount(value["pid"]) && value["pid"] > 0 && isCount(value["startTime"]);
}

function isOptionalText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === "string";
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
