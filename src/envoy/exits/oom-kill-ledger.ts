/**
 * Which OOM kill belongs to which Envoy.
 *
 * The kernel only counts: it does not say whom it killed. So each kill is given to one process at most, and a kill
 * that was already seen while an Envoy went on living is none of its own.
 */
import type { KillCount } from "./cgroup-memory.ts";
import type { OomKills } from "./exit-diagnosis.ts";

/**
 * Longest time between the kernel's count and the notice of the exit, in milliseconds: a process gives back its
 * memory first.
 */
const noticeMs = 5_000;

interface Sample {
  readonly at: number;
  readonly count: number;
}

/** Keeps the account of one cgroup. Times are `performance.now()`. */
export class OomKillLedger {
  readonly #read: () => KillCount;
  #samples: Sample[] = [];
  #given = 0;

  /** @param read the count of this moment */
  constructor(read: () => KillCount) {
    this.#read = read;
  }

  /** Look at the count: when an Envoy is started, and now and then while it lives. */
  note(now: number): void {
    const current = this.#read();
    if (current.kind === "unknown") return;
    const settled = this.#samples.findLast(({ at }) => at <= now - noticeMs);
    this.#samples = [
      ...(settled === undefined ? [] : [settled]),
      ...this.#samples.filter(({ at }) => at > now - noticeMs),
      { at: now, count: current.count },
    ];
  }

  /**
   * The kills that may have ended a process which was started at `startedAt` and whose end was noticed `now`.
   *
   * @param killed it ended by SIGKILL: if there was an OOM kill, it is used up
   */
  settle(startedAt: number, now: number, killed: boolean): OomKills {
    const current = this.#read();
    if (current.kind === "unknown") return current;
    const { cgroup, count: after, limitBytes } = current;
    const known = this.#countAt(Math.max(startedAt, now - noticeMs));
    if (known === undefined) return { kind: "unknown", reason: "they were not counted when it was started" };
    const before = Math.max(this.#given, known);
    if (killed && after > before) this.#given = before + 1;
    return { kind: "counted", cgroup, before, after, limitBytes };
  }

  /** The count that was known at a time; the first one known if that is earlier. */
  #countAt(time: number): number | undefined {
    return (this.#samples.findLast(({ at }) => at <= time) ?? this.#samples[0])?.count;
  }
}
