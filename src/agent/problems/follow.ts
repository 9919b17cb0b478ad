/**
 * Follows what is wrong: looks now and then, is woken by what changes, tells the log, the metrics and the report.
 */
import { accessSync, constants, statfsSync } from "node:fs";
import type { EnvoySupervisor } from "../../envoy/supervision/supervisor.ts";
import { tlsCounts, tlsFailureStats } from "../../envoy/admin/tls-failures.ts";
import type { IdentityState } from "../../identity/identity-state.ts";
import { Alarm } from "../../lifecycle/alarm.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { formatDuration } from "../../lifecycle/format-duration.ts";
import { thisMoment } from "../../lifecycle/moment.ts";
import type { TaskGroup } from "../../lifecycle/task-group.ts";
import { restingMs, TickWait, ticks } from "../../lifecycle/tick.ts";
import type { ReadonlyWatch } from "../../lifecycle/watch.ts";
import { throttledBetween, ThrottlingLooks } from "../../process/cpu-throttling.ts";
import type { Problem } from "../../status/contract/problem.ts";
import type { Readiness } from "../../status/contract/readiness.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import type { XdsState } from "../../xdsproxy/report/state.ts";
import { looked, type ProblemBook, problemsOf } from "./book.ts";
import { describePeers } from "./describe-peers.ts";
import { type FolderFacts, type Looks, type LostSocket, noLooks } from "./facts.ts";
import { findProblems, silentAtMs } from "./find.ts";
import { isFailing, peersKnown, peersSeen } from "./peers.ts";

/** What is looked at. */
export interface ProblemSources {
  readonly identity: ReadonlyWatch<IdentityState>;
  readonly xds: ReadonlyWatch<XdsState>;
  /** Undefined unless names are answered from the cache. */
  readonly namesAsOf: () => Date | undefined;
  readonly readiness: () => Promise<Readiness>;
  /** Undefined without Envoy. */
  readonly supervisor: EnvoySupervisor | undefined;
  readonly configuration: {
    /** What is wrong with it on disk. */
    readonly refused: () => readonly string[];
    /** What is left out of it, as it makes no sense. */
    readonly odd: readonly string[];
  };
  readonly lostSockets: () => readonly LostSocket[];
  /** Folders that the agent writes to. */
  readonly folders: readonly string[];
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** Between two looks while something is wrong, in milliseconds: each costs an agent at rest. */
const troubledMs = 5_000;

/** Between two looks while no traffic may come, in milliseconds: that it may is to be seen by whoever asks then. */
const unreadyMs = 1_000;

/** What is wrong now. */
export class Problems {
  readonly #sources: ProblemSources;
  #looks: Looks = noLooks;
  #book: ProblemBook = new Map();
  readonly #throttling = new ThrottlingLooks();

  constructor(sources: ProblemSources) {
    this.#sources = sources;
    const own = sources.metrics.withPrefix("outrider_");
    own.computedGauges(
      "problem_seconds",
      "How long a problem has lasted, by its cause; absent once it is over.",
      ["cause"],
      () =>
        [...this.#book].map(
          ([cause, { since }]) => [{ cause }, (performance.now() - since.atMs) / 1_000] as const,
        ),
    );
    own.computed(
      "configuration_warnings",
      "Settings that were left out or taken as something else when the agent started, wherever they come from.",
      {},
      () => sources.configuration.odd.length,
    );
    own.computed("ready", "1 while the workload may be sent traffic, as it was last looked at.", {}, () =>
      this.#looks.readiness === undefined ? undefined : Number(this.#looks.readiness.ready),
    );
    own.computedCounters(
      "cpu_periods_total",
      "Periods of the CPU quota, by what became of them.",
      ["state"],
      () => {
        const counts = this.#throttling.now();
        if (counts === undefined) return [];
        return [
          [{ state: "throttled" }, counts.throttledPeriods],
          [{ state: "free" }, counts.periods - counts.throttledPeriods],
        ] as const;
      },
    );
  }

  /** The gravest first. */
  get current(): readonly Problem[] {
    return problemsOf(this.#book, thisMoment());
  }

  /** Look in `tasks`. */
  start(tasks: TaskGroup): void {
    const { identity, xds, supervisor } = this.#sources;
    const wait = new TickWait();
    tasks.spawn("look-for-problems", async (signal) => {
      for await (const _ of ticks(() => this.#everyMs(), signal, wait)) {
        this.#looks = await this.#look();
        this.#judge();
      }
    });
    if (supervisor !== undefined) {
      tasks.spawn("problems-of-envoy", async (signal) => {
        for await (const _ of supervisor.report.state.changes(signal)) wait.hasten();
      });
    }
    tasks.spawn("problems-of-identity", async (signal) => {
      for await (const _ of identity.changes(signal)) this.#judge();
    });
    tasks.spawn("problems-of-xds", async (signal) => {
      using silence = new Alarm(() => {
        this.#judge();
        return Infinity;
      });
      for await (const state of xds.changes(signal)) {
        this.#judge();
        if (!this.#isReady) wait.hasten();
        silence.by(silentAtMs(state));
      }
    });
  }

  /** What is wrong is to be named within ten seconds, and its end soon. */
  #everyMs(): number {
    if (!this.#isReady) return unreadyMs;
    return isFailing(this.#looks.peers) ? troubledMs : restingMs;
  }

  get #isReady(): boolean {
    return this.#looks.readiness?.ready === true;
  }

  #judge(): void {
    const { identity, xds, namesAsOf, supervisor, configuration, log } = this.#sources;
    const now = thisMoment();
    const found = findProblems({
      identity: identity.current,
      xds: xds.current,
      namesAsOf: namesAsOf(),
      configuration: { refused: configuration.refused(), odd: configuration.odd },
      refusedGeneration: supervisor?.refused,
      lastExit: supervisor?.report.lastExit,
      looks: this.#looks,
      nowMs: now.atMs,
    });
    const { book, news } = looked(this.#book, found, now);
    this.#book = book;
    for (const { kind, found: one, forMs } of news) {
      const { cause, reason, remedy } = one;
      switch (kind) {
        case "begins":
          log.warn("a problem has come up", { cause, reason, remedy });
          break;
        case "lasts":
          log.warn("a problem lasts", { cause, for: formatDuration(forMs), reason, remedy });
          break;
        case "over":
          log.info("a problem is over", { cause, after: formatDuration(forMs) });
      }
    }
  }

  async #look(): Promise<Looks> {
    const { folders, lostSockets } = this.#sources;
    const before = this.#looks;
    const throttling = this.#throttling.now();
    return {
      ...before,
      ...(await this.#askEnvoy()),
      throttling,
      throttled: throttling && before.throttling && throttledBetween(before.throttling, throttling),
      folders: folders.map(lookAtFolder),
      sockets: lostSockets(),
    };
  }

  async #askEnvoy(): Promise<Pick<Looks, "readiness" | "peers" | "described">> {
    const { readiness: ask, supervisor, identity } = this.#sources;
    const { described: before } = this.#looks;
    const readiness = await ask();
    const peers = await this.#lookAtPeers();
    const described = supervisor && (await describePeers(peers, before, supervisor.admin, identity.current));
    return { readiness, peers, described: described ?? before };
  }

  /** An Envoy that does not answer tells nothing new. Most have never refused anybody, and are asked no more than that. */
  async #lookAtPeers(): Promise<Looks["peers"]> {
    const { supervisor } = this.#sources;
    const { peers } = this.#looks;
    if (supervisor?.report.state.current.kind !== "live") return peers;
    const known = isFailing(peers) ? undefined : peersKnown(peers, await supervisor.hasRefusedHandshakes());
    if (known !== undefined) return known;
    try {
      return peersSeen(peers, tlsCounts(await supervisor.admin.stats(tlsFailureStats)), performance.now());
    } catch {
      return peers;
    }
  }
}

function lookAtFolder(path: string): FolderFacts {
  try {
    accessSync(path, constants.W_OK);
  } catch (error) {
    return { path, refusal: errorMessage(error), freeBytes: undefined };
  }
  try {
    const { bavail, bsize } = statfsSync(path);
    return { path, refusal: undefined, freeBytes: bavail * bsize };
  } catch {
    return { path, refusal: undefined, freeBytes: undefined };
  }
}
