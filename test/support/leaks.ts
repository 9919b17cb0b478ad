/** What an agent and its Envoys leave behind. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { sleep } from "../../src/lifecycle/sleep.ts";
import { restingMs } from "../../src/lifecycle/tick.ts";
import { envoysOf, openFilesOf } from "./envoys-of.ts";
import { eventually } from "./eventually.ts";
import { zombiesOf } from "./pid-namespace.ts";
import type { StandaloneSidecar } from "./standalone-sidecar.ts";

/** What there is at one moment. */
export interface Snapshot {
  readonly openFiles: readonly string[];
  readonly zombies: number;
  /** Paths within the agent's folder, those of generations named alike; without the flight recorder's. */
  readonly paths: readonly string[];
  readonly recordings: number;
  readonly rssMiB: number;
}

/** Everything that should not be there; empty lists when nothing is. */
export interface Leaks {
  readonly openFiles: readonly string[];
  readonly zombies: number;
  readonly paths: readonly string[];
  /** What the flight recorder keeps. */
  readonly recordings: number;
  readonly processes: readonly number[];
  readonly sharedMemory: readonly string[];
  readonly abstractSockets: readonly string[];
  readonly grownMiB: number;
}

/** Throws ENOENT when a folder goes away meanwhile: one that is being removed is not left over, so look again. */
export function takeSnapshot(sidecar: StandaloneSidecar): Snapshot {
  const { pid } = sidecar.agent;
  const rss = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return {
    openFiles: openFilesOf(pid),
    zombies: zombiesOf(pid).length,
    paths: pathsIn(sidecar.folder).filter((path) => !path.includes(recorder)),
    recordings: pathsIn(sidecar.folder).filter((path) => path.split(recorder)[1]?.includes("/") === false)
      .length,
    rssMiB: Math.round(Number(rss ?? 0) / 1_024),
  };
}

/** The same once it holds as many files as a moment before: some are opened when an Envoy has served for a while. */
export async function settledSnapshot(sidecar: StandaloneSidecar): Promise<Snapshot> {
  return await eventually(
    "as many open files as before",
    async () => {
      const earlier = takeSnapshot(sidecar);
      await sleep(settleMs);
      const later = takeSnapshot(sidecar);
      if (later.openFiles.length !== earlier.openFiles.length) throw new Error("they still change");
      return later;
    },
    { withinMs: 60_000 },
  );
}

/** Longer than anything of the agent's that comes again and again, in milliseconds. */
const settleMs = restingMs + 1_500;

/** Until all is gone that an agent gives back at its looks, in milliseconds. */
export const givenBackMs: number = 3 * restingMs;

/** Its folder keeps the last few Envoys on purpose. */
const recorder = "flight-recorder/";

function pathsIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).map((path) =>
    path.replace(/generations\/\d+/, "generations/N"),
  );
}

/** Files open and paths there that were not before; descriptors change their number, so files count by how many. */
export function leftOver(before: Snapshot, after: Snapshot): readonly string[] {
  return [...openFilesLeft(before, after), ...extra(before.paths, after.paths)];
}

export function leaksOf(seen: {
  readonly before: Snapshot;
  readonly after: Snapshot;
  readonly folder: string;
  /** Shared memory that its Envoys have mapped. */
  readonly memories: readonly string[];
}): Leaks {
  const { before, after, folder, memories } = seen;
  const ids = memories.map((path) => /\d+$/.exec(path)?.[0] ?? "").map((id) => id.slice(0, -1));
  const names = new RegExp(`^@envoy_domain_socket_\\w+_(${ids.join("|")})\\d$`);
  return {
    openFiles: openFilesLeft(before, after),
    zombies: after.zombies,
    paths: extra(before.paths, after.paths),
    recordings: after.recordings,
    processes: envoysOf(folder).map(({ pid }) => pid),
    sharedMemory: memories.filter((path) => existsSync(path)),
    abstractSockets: abstractSockets().filter((name) => ids.length > 0 && names.test(name)),
    grownMiB: after.rssMiB - before.rssMiB,
  };
}

function openFilesLeft(before: Snapshot, after: Snapshot): readonly string[] {
  return after.openFiles.length > before.openFiles.length ? extra(before.openFiles, after.openFiles) : [];
}

function extra(before: readonly string[], after: readonly string[]): readonly string[] {
  const left = [...before];
  return after.filter((item) => {
    const index = left.indexOf(item);
    if (index >= 0) left.splice(index, 1);
    return index < 0;
  });
}

function abstractSockets(): readonly string[] {
  return readFileSync(join("/proc/net", "unix"), "utf8")
    .split("\n")
    .map((line) => (line.split(" ").at(-1) ?? "").replace(/@+$/, ""));
}
