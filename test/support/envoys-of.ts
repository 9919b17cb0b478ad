/** The Envoys of one agent and what they hold, as the machine sees them. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { readProcessStat } from "../../src/process/identity.ts";

export interface SeenEnvoy {
  readonly pid: number;
  readonly generation: number;
  /** Undefined without hot restart. */
  readonly epoch: number | undefined;
}

/** Processes that were started in this folder to serve: not those that validate, no zombies. */
export function envoysOf(folder: string): readonly SeenEnvoy[] {
  return pidsIn(folder).flatMap((pid) => {
    const args = argumentsOf(pid);
    const generation = /generations\/(\d+)\/envoy\.json$/.exec(valueOf(args, "-c") ?? "")?.[1];
    if (generation === undefined || args.includes("--mode")) return [];
    const epoch = valueOf(args, "--restart-epoch");
    return [{ pid, generation: Number(generation), epoch: epoch === undefined ? undefined : Number(epoch) }];
  });
}

/** Every process whose working directory this is. */
export function pidsIn(folder: string): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && linkOf(`/proc/${name}/cwd`) === folder)
    .map(Number)
    .filter((pid) => (readProcessStat(pid)?.state ?? "Z") !== "Z");
}

/** The shared memory of hot restart that a process maps; undefined when it is gone or maps none. */
export function sharedMemoryOf(pid: number): string | undefined {
  try {
    return /\/dev\/shm\/envoy_shared_memory_\d+/.exec(readFileSync(`/proc/${pid}/maps`, "utf8"))?.[0];
  } catch {
    return undefined;
  }
}

/** What each open file of a process is, such as `socket:[1234]`. */
export function openFilesOf(pid: number): readonly string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => linkOf(`/proc/${pid}/fd/${fd}`) ?? []);
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function argumentsOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}

function valueOf(args: readonly string[], flag: string): string | undefined {
  const index = args.indexOf(flag);
  return index < 0 ? undefined : args[index + 1];
}
