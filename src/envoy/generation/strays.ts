/**
 * What a killed agent left behind: Envoys that still run, their folders and their shared memory.
 *
 * With hot restart the kernel ends Envoy when its agent dies (PR_SET_PDEATHSIG); without it Envoy serves on, and
 * a second one would share its ports and split its traffic. In a PID namespace of its own nothing outlives the
 * agent, but its folders do.
 */
import { readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { inOwnFolder, removeFromOwnFolder } from "../../files/own-folder.ts";
import { errorCode, errorMessage } from "../../lifecycle/error-message.ts";
import { bootId, isAlive, type ProcessIdentity } from "../../process/identity.ts";
import { sleep } from "../../lifecycle/sleep.ts";
import type { Logger } from "../../telemetry/log.ts";
import { generationsFolder, isGeneration, pathsIn } from "./layout.ts";
import { whyNotThatEnvoy } from "./own-envoy.ts";
import { type FoundRecord, type ProcessRecord, readRecord, recordName } from "./process-record.ts";
import { removeSharedMemory } from "./shared-memory.ts";

/** A generation's folder and what its record says. */
export interface FoundGeneration {
  /** The folder's name: the generation's number. */
  readonly name: string;
  readonly found: FoundRecord;
}

/** What to do about what was found. */
export type StrayPlan =
  | { readonly kind: "in-use"; readonly agentPid: number }
  | {
      readonly kind: "clean";
      /** Envoys that still run. */
      readonly end: readonly { readonly name: string; readonly record: ProcessRecord }[];
      /** Generations whose record cannot be read. */
      readonly setAside: readonly { readonly name: string; readonly reason: string }[];
      /** Generations whose folder goes, once their Envoy has ended. */
      readonly remove: readonly string[];
      /** Base IDs of Envoys that are gone by then. */
      readonly baseIds: readonly number[];
    };

/**
 * Decide from the records and from who is alive.
 *
 * @param boot this boot of the machine: a record of an earlier one speaks of nobody who lives
 */
export function planStrays(
  generations: readonly FoundGeneration[],
  boot: string | undefined,
  lives: (identity: ProcessIdentity) => boolean,
): StrayPlan {
  const records = generations.flatMap(({ name, found }) =>
    found.kind === "record" ? [{ name, record: found.record }] : [],
  );
  const ofThisBoot = records.filter(({ record }) => record.bootId === undefined || record.bootId === boot);
  const owner = ofThisBoot.find(({ record }) => lives(record.agent));
  if (owner !== undefined) return { kind: "in-use", agentPid: owner.record.agent.pid };
  return {
    kind: "clean",
    end: ofThisBoot.filter(({ record }) => lives(record.envoy)),
    setAside: generations.flatMap(({ name, found }) =>
      found.kind === "corrupt" ? [{ name, reason: found.reason }] : [],
    ),
    remove: generations.map(({ name }) => name),
    baseIds: [...new Set(ofThisBoot.flatMap(({ record }) => record.baseId ?? []))],
  };
}

/** How it went. */
export type StraysResult =
  /** Nothing of a killed agent is left. */
  | { readonly kind: "clean"; readonly ended: readonly number[] }
  /** Another agent runs in this folder; nothing was touched. */
  | { readonly kind: "in-use"; readonly agentPid: number }
  /** A stray Envoy cannot be ended, by another user's right or because the kernel holds it; its folder is kept. */
  | { readonly kind: "stuck"; readonly envoyPid: number; readonly reason: string };

/** Between SIGTERM and SIGKILL, in milliseconds: Envoy ends within some tens of them unless it hangs. */
const termMs = 1_000;
/** Longest wait after SIGKILL, in milliseconds. */
const killMs = 5_000;
const pollMs = 10;

/**
 * End the Envoys of a killed agent and remove their folders. To be called before the first generation is started.
 *
 * @param configPath the folder that holds `generations/`
 * @throws FolderNotOursError when `generations/` is a link or others may write it, and the system error when a folder
 *   cannot be removed; nothing is touched then
 */
export async function endStrays(configPath: string, log: Logger): Promise<StraysResult> {
  const folder = generationsFolder(configPath);
  const generations = inOwnFolder(folder, findGenerations) ?? [];
  const plan = planStrays(generations, bootId(), isAlive);
  if (plan.kind === "in-use") return plan;

  for (const { name, reason } of plan.setAside) {
    const to = join(configPath, `process.${name}.corrupt.json`);
    log.warn("record of a generation cannot be read, set aside", { generation: name, reason, to });
    inOwnFolder(folder, (anchored) => {
      setAside(join(anchored, name, recordName), to);
    });
  }
  const outcomes = await Promise.all(
    plan.end.map(async ({ name, record }) => ({
      name,
      record,
      outcome: await end(record, pathsIn(join(folder, name)).bootstrap),
    })),
  );
  for (const { name, record, outcome } of outcomes) {
    const fields = { generation: name, pid: record.envoy.pid, agentPid: record.agent.pid };
    switch (outcome.kind) {
      case "stuck":
        log.error("stray Envoy cannot be ended", { ...fields, reason: outcome.reason });
        break;
      case "another":
        log.warn("record of a generation names a process that is no Envoy of ours, left alone", {
          ...fields,
          reason: outcome.reason,
        });
        break;
      case "ended":
        log.warn("stray Envoy of a killed agent ended", { ...fields, signal: outcome.signal });
    }
  }
  const stuck = outcomes.find(({ outcome }) => outcome.kind === "stuck");
  if (stuck?.outcome.kind === "stuck") {
    return { kind: "stuck", envoyPid: stuck.record.envoy.pid, reason: stuck.outcome.reason };
  }

  removeFromOwnFolder(folder, plan.remove);
  for (const baseId of plan.baseIds) {
    if (removeSharedMemory(baseId)) log.info("shared memory of a stray Envoy removed", { baseId });
  }
  const ended = outcomes.filter(({ outcome }) => outcome.kind === "ended");
  return { kind: "clean", ended: ended.map(({ record }) => record.envoy.pid) };
}

function findGenerations(folder: string): readonly FoundGeneration[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && isGeneration(entry.name))
    .map(({ name }) => ({ name, found: readRecord(join(folder, name)) }));
}

function setAside(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch {
    // It goes with its folder then.
  }
}

type EndOutcome =
  | { readonly kind: "ended"; readonly signal: NodeJS.Signals }
  /** The process is not the Envoy of the record. */
  | { readonly kind: "another"; readonly reason: string }
  | { readonly kind: "stuck"; readonly reason: string };

async function end(record: ProcessRecord, bootstrapPath: string): Promise<EndOutcome> {
  const identity = record.envoy;
  for (const [signal, ms] of [
    ["SIGTERM", termMs],
    ["SIGKILL", killMs],
  ] as const) {
    try {
      // Looked at right before, in the same turn: the pid may be somebody else's by now.
      const difference = whyNotThatEnvoy(identity, record, bootstrapPath);
      if (difference === undefined) process.kill(identity.pid, signal);
      else if (isAlive(identity)) return { kind: "another", reason: difference };
    } catch (error) {
      if (errorCode(error) !== "ESRCH") return { kind: "stuck", reason: errorMessage(error) };
    }
    if (await isGoneWithin(identity, ms)) return { kind: "ended", signal };
  }
  return { kind: "stuck", reason: `it is still there ${killMs} ms after SIGKILL` };
}

async function isGoneWithin(identity: ProcessIdentity, ms: number): Promise<boolean> {
  for (const deadline = performance.now() + ms; performance.now() < deadline;) {
    if (!isAlive(identity)) return true;
    await sleep(pollMs);
  }
  return !isAlive(identity);
}
