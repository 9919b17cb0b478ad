/**
 * From a started process to an Envoy that is proven to serve.
 */
import { accessSync } from "node:fs";
import type { ChildExit } from "../../process/child.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { sleep } from "../../lifecycle/sleep.ts";
import type { Generation } from "../generation/generation.ts";
import { describeBusy } from "../admin/question.ts";
import { type EnvoyReadiness, envoyReadiness, readinessStats, unready } from "../admin/readiness.ts";

/** What to wait for and how long. */
export interface BringUpOptions {
  /** Called once Envoy has accepted its clusters: what it is held back from may then be released. */
  readonly onClusters: () => void;
  /** Called whenever the reason for waiting changes. */
  readonly onWaiting: (reason: string) => void;
  /** What Envoy lacks beyond LIVE; empty when nothing. Asked again until it is empty. */
  readonly prove: () => Promise<readonly string[]>;
  /** Longest time until LIVE, in milliseconds; undefined waits for ever, because there is nothing to go back to. */
  readonly liveWithinMs: number | undefined;
  /** Longest time from LIVE to proof, in milliseconds; undefined waits for ever. */
  readonly provenWithinMs: number | undefined;
}

/** How it went. */
export type BringUpResult =
  | { readonly kind: "proven" }
  | { readonly kind: "died"; readonly exit: ChildExit; readonly wasLive: boolean }
  | { readonly kind: "never-live"; readonly reason: string }
  | { readonly kind: "faulty"; readonly reason: string }
  | { readonly kind: "cancelled"; readonly wasLive: boolean };

/** Longest time between two questions, in milliseconds. */
const longestPollMs = 250;

/**
 * Short while Envoy boots, longer once it plainly waits for somebody else, and where a question takes long: with a tenth of
 * a processor, to be asked is what keeps an Envoy from booting. In milliseconds.
 */
export function pollMs(ageMs: number, answeredWithinMs: number): number {
  return ageMs < 3_000 ? Math.min(Math.max(20, 5 * answeredWithinMs), longestPollMs) : longestPollMs;
}

/** Follow `generation` until it is proven, fails, or `cancel` aborts. Never rejects. */
export async function bringUp(
  generation: Generation,
  options: BringUpOptions,
  cancel: AbortSignal,
): Promise<BringUpResult> {
  const { gone } = generation;
  const stop = AbortSignal.any([gone, cancel]);
  let liveAt: number | undefined;
  let reason = "Envoy starts";
  const wait = (why: string): void => {
    if (why !== reason) options.onWaiting(why);
    reason = why;
  };
  const busy = new BusyTime();
  while (!stop.aborted) {
    const askedAt = performance.now();
    const readiness = await askReadiness(generation, options.onClusters, busy);
    const answeredWithinMs = performance.now() - askedAt;
    if (stop.aborted) break;
    if (readiness.ready) {
      liveAt ??= performance.now() - busy.ms;
      const faults = await proveSafely(options.prove);
      if (stop.aborted) break;
      if (faults.length === 0) return { kind: "proven" };
      wait(faults.join("; "));
    } else {
      wait(readiness.reason);
    }
    const verdict = overdue(options, generation, liveAt, busy.ms, reason);
    if (verdict !== undefined) return verdict;
    await sleep(pollMs(generation.ageMs, answeredWithinMs), stop);
  }
  const wasLive = liveAt !== undefined;
  return gone.aborted
    ? { kind: "died", exit: await generation.exited, wasLive }
    : { kind: "cancelled", wasLive };
}

function overdue(
  { liveWithinMs, provenWithinMs }: BringUpOptions,
  generation: Generation,
  liveAt: number | undefined,
  busyMs: number,
  reason: string,
): BringUpResult | undefined {
  if (liveAt === undefined) {
    const isOverdue = liveWithinMs !== undefined && generation.ageMs - busyMs > liveWithinMs;
    return isOverdue
      ? { kind: "never-live", reason: `not LIVE after ${liveWithinMs} ms: ${reason}` }
      : undefined;
  }
  const isOverdue = provenWithinMs !== undefined && performance.now() - busyMs - liveAt > provenWithinMs;
  return isOverdue ? { kind: "faulty", reason } : undefined;
}

async function askReadiness(
  generation: Generation,
  onClusters: () => void,
  busy: BusyTime,
): Promise<EnvoyReadiness> {
  const { admin, launch, questions } = generation;
  const answer = await questions.ask(() => {
    // While Envoy boots there is no socket yet, which is found out for less than by a request.
    accessSync(admin.socketPath);
    return admin.stats(readinessStats);
  });
  busy.after(answer.kind === "busy");
  switch (answer.kind) {
    case "answered":
      if ((answer.value.get("cluster_manager.cds.update_success") ?? 0) > 0) onClusters();
      return envoyReadiness(answer.value, launch.awaits);
    case "busy":
      return unready("process", describeBusy(answer.forMs));
    case "silent":
      return unready("process", `Envoy's admin does not answer: ${answer.reason}`);
  }
}

/** Longest work on its configuration that an Envoy is given beyond its deadlines, in milliseconds. */
const longestBusyMs = 600_000;

/** Time that an Envoy has spent busy, which counts for no deadline. */
class BusyTime {
  #ms = 0;
  #lookedAt = performance.now();

  get ms(): number {
    return Math.min(this.#ms, longestBusyMs);
  }

  /** @param isBusy whether it was busy since the last call */
  after(isBusy: boolean): void {
    const now = performance.now();
    if (isBusy) this.#ms += now - this.#lookedAt;
    this.#lookedAt = now;
  }
}

async function proveSafely(prove: () => Promise<readonly string[]>): Promise<readonly string[]> {
  try {
    return await prove();
  } catch (error) {
    return [`the proof failed: ${errorMessage(error)}`];
  }
}
