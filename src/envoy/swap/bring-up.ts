/**
 * From a started process to an Envoy that is proven to serve.
 */
import type { ChildExit } from "../../lifecycle/child.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { sleep } from "../../lifecycle/sleep.ts";
import type { Generation } from "../generation/generation.ts";
import { type EnvoyReadiness, envoyReadiness, readinessStats } from "../readiness.ts";

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

/** Short while Envoy boots, longer once it plainly waits for somebody else; milliseconds. */
function pollMs(ageMs: number): number {
  return ageMs < 3_000 ? 20 : 250;
}

/** Follow `generation` until it is proven, fails, or `cancel` aborts. Never rejects. */
export async function bringUp(
  generation: Generation,
  options: BringUpOptions,
  cancel: AbortSignal,
): Promise<BringUpResult> {
  const ended = new AbortController();
  let exit: ChildExit | undefined;
  void generation.exited.then((how) => {
    exit = how;
    ended.abort();
  });
  const stop = AbortSignal.any([ended.signal, cancel]);
  let liveAt: number | undefined;
  let reason = "Envoy starts";
  const wait = (why: string): void => {
    if (why !== reason) options.onWaiting(why);
    reason = why;
  };
  while (!stop.aborted) {
    const readiness = await askReadiness(generation, options.onClusters);
    if (stop.aborted) break;
    if (readiness.ready) {
      liveAt ??= performance.now();
      const faults = await proveSafely(options.prove);
      if (stop.aborted) break;
      if (faults.length === 0) return { kind: "proven" };
      wait(faults.join("; "));
    } else {
      wait(readiness.reason);
    }
    const verdict = overdue(options, generation, liveAt, reason);
    if (verdict !== undefined) return verdict;
    await sleep(pollMs(generation.ageMs), stop);
  }
  const wasLive = liveAt !== undefined;
  return exit === undefined ? { kind: "cancelled", wasLive } : { kind: "died", exit, wasLive };
}

function overdue(
  { liveWithinMs, provenWithinMs }: BringUpOptions,
  generation: Generation,
  liveAt: number | undefined,
  reason: string,
): BringUpResult | undefined {
  if (liveAt === undefined) {
    const isOverdue = liveWithinMs !== undefined && generation.ageMs > liveWithinMs;
    return isOverdue
      ? { kind: "never-live", reason: `not LIVE after ${liveWithinMs} ms: ${reason}` }
      : undefined;
  }
  const isOverdue = provenWithinMs !== undefined && performance.now() - liveAt > provenWithinMs;
  return isOverdue ? { kind: "faulty", reason } : undefined;
}

async function askReadiness(generation: Generation, onClusters: () => void): Promise<EnvoyReadiness> {
  const { admin, launch } = generation;
  try {
    const stats = await admin.stats(readinessStats);
    if ((stats.get("cluster_manager.cds.update_success") ?? 0) > 0) onClusters();
    return envoyReadiness(stats, launch.awaits);
  } catch (error) {
    return { ready: false, reason: `Envoy's admin does not answer: ${errorMessage(error)}` };
  }
}

async function proveSafely(prove: () => Promise<readonly string[]>): Promise<readonly string[]> {
  try {
    return await prove();
  } catch (error) {
    return [`the proof failed: ${errorMessage(error)}`];
  }
}
