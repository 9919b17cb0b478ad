/**
 * Looks after the agent's Unix sockets and the active Envoy's: whoever removes one, or all of the config path, must
 * not cut off those who connect next.
 */
import type { AgentConfig } from "../config/agent-config.ts";
import type { Generation } from "../envoy/generation/generation.ts";
import type { EnvoySupervisor } from "../envoy/supervision/supervisor.ts";
import type { LostSocket } from "./problems/facts.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { sleep } from "../lifecycle/sleep.ts";
import { TaskGroup } from "../lifecycle/task-group.ts";
import { TickWait, ticks } from "../lifecycle/tick.ts";
import { FolderWatches } from "../files/folder-watches.ts";
import { KeptSockets } from "../net/kept-sockets.ts";
import type { Logger } from "../telemetry/log.ts";

/** Where the kernel may keep silent, in milliseconds: a lost admin socket is to be back before a probe has failed twice. */
const everyMs = 2_000;

/** Where the kernel tells of every change. */
const seldomMs = 20_000;

/** Between two looks while something is not held yet, in milliseconds, and how many there are. */
const earlyEveryMs = 100;
const earlyLooks = 100;

/** How long it is shown that a socket was removed, in milliseconds: whoever does that may do it again. */
const shownMs = 60_000;

/** Sockets that somebody has removed. */
export class SocketLosses {
  readonly #removed = new Map<string, { readonly atMs: number; readonly reason: string | undefined }>();
  #count = 0;

  constructor(metrics: Metrics) {
    metrics
      .withPrefix("outrider_")
      .computedCounter(
        "sockets_removed_total",
        "Times that somebody removed one of the sockets of agent and Envoy.",
        () => this.#count,
      );
  }

  /** @param reason why it has not got its name back; undefined when it has */
  note(path: string, reason: string | undefined): void {
    if (this.#removed.get(path)?.reason === undefined) this.#count += 1;
    this.#removed.set(path, { atMs: performance.now(), reason });
  }

  /** Of the last minute. */
  get recent(): readonly LostSocket[] {
    const nowMs = performance.now();
    return [...this.#removed].flatMap(([path, { atMs, reason }]) =>
      nowMs - atMs < shownMs ? [{ path, reason }] : [],
    );
  }
}

/** What is looked after. */
export interface KeptSocketsOf {
  readonly claimPath: string;
  /** Undefined without Envoy. */
  readonly supervisor: EnvoySupervisor | undefined;
  readonly losses: SocketLosses;
  readonly log: Logger;
}

/** Give lost sockets back their names until `signal` aborts. */
export async function keepSockets(
  config: Pick<AgentConfig, "sds" | "xds" | "application">,
  { claimPath, supervisor, losses, log }: KeptSocketsOf,
  signal: AbortSignal,
): Promise<void> {
  const own = [config.sds.path, config.xds.path, claimPath, config.application?.path ?? claimPath];
  using sockets = new KeptSockets();
  const failing = new Set<string>();
  // Envoy's goes first, while it is known to live: what it leaves is removed when it ends.
  const pathsWith = (envoy: Generation | undefined): readonly string[] =>
    envoy === undefined ? own : [envoy.admin.socketPath, ...own];
  const holdsAll = (): boolean => {
    const envoy = supervisor?.active;
    const isAllThere = supervisor === undefined || envoy !== undefined;
    return isAllThere && pathsWith(envoy).every((path) => sockets.holds(path));
  };
  const wait = new TickWait();
  let isHinted = false;
  const hint = (): void => {
    isHinted = true;
    wait.hasten();
  };
  using folders = new FolderWatches(hint, () => undefined);
  // Another Envoy has another socket.
  await using envoys = new TaskGroup();
  if (supervisor !== undefined) {
    envoys.spawn("sockets-of-envoy", async (stop) => {
      for await (const _ of supervisor.report.state.changes(stop)) hint();
    });
  }
  let followed: readonly string[] = [];
  for await (const _ of looks(holdsAll, () => (folders.isComplete ? seldomMs : everyMs), signal, wait)) {
    // Whoever removes one in a loop does not keep the agent busy.
    if (isHinted) await sleep(earlyEveryMs, signal);
    const envoy = supervisor?.active;
    const admin = envoy?.admin.socketPath;
    const paths = pathsWith(envoy);
    if (isHinted || paths.join("\0") !== followed.join("\0")) folders.follow(paths);
    isHinted = false;
    followed = paths;
    for (const { path, error } of await sockets.look(paths)) {
      const problem = error ?? (path === admin ? restoredFolder(envoy) : undefined);
      losses.note(path, problem === undefined ? undefined : errorMessage(problem));
      if (problem === undefined) {
        log.warn("socket was removed by somebody, given back its name", { path });
        failing.delete(path);
        continue;
      }
      if (!failing.has(path)) {
        log.error("socket was removed by somebody and cannot be given back its name", {
          path,
          reason: errorMessage(problem),
        });
      }
      failing.add(path);
    }
  }
}

/** What is removed before it is held is lost: at the start it is looked for often, until all is held or a while is over. */
async function* looks(
  holdsAll: () => boolean,
  every: () => number,
  signal: AbortSignal,
  wait: TickWait,
): AsyncGenerator<void, void, undefined> {
  for (let look = 0; look < earlyLooks && !holdsAll() && !signal.aborted; look += 1) {
    yield;
    await sleep(earlyEveryMs, signal);
  }
  yield* ticks(every, signal, wait);
}

/** Undefined, or why its files cannot be written. */
function restoredFolder(envoy: Generation | undefined): unknown {
  try {
    envoy?.restoreFolder();
    return undefined;
  } catch (error) {
    return error;
  }
}
