/**
 * Finds an Envoy that hangs: its main thread answers nothing while the process lives.
 *
 * A main thread that is busy, with a large update say, is slow and not hung: it uses CPU time. It is given much
 * longer than one that does nothing at all.
 */
import { ticks, type TickWait } from "../../lifecycle/tick.ts";

/** When an Envoy counts as hung. */
export interface HangPolicy {
  /** Between two checks of one that has not answered the last, in milliseconds. */
  readonly intervalMs: number;
  /** How long the admin interface may take to answer a check, in milliseconds. */
  readonly timeoutMs: number;
  /** Checks without an answer in a row that make an idle main thread a hung one. */
  readonly failures: number;
  /** The same for a main thread that uses CPU time. */
  readonly busyFailures: number;
}

/**
 * The agent's own policy: a stopped Envoy, of which the kernel tells, is found within 4 s, another that hangs within 14 s, and
 * one that is busy is given ten minutes.
 */
export const defaultHangPolicy: HangPolicy = {
  intervalMs: 1_000,
  timeoutMs: 1_000,
  failures: 3,
  busyFailures: 300,
};

/** An Envoy that has answered is checked again after so many intervals: each check costs it and the agent at rest. */
const restingIntervals = 10;

/** What a check saw. */
export type Check =
  | { readonly kind: "answered" }
  | {
      readonly kind: "silent";
      /** CPU time of the main thread in clock ticks; undefined when it is gone. */
      readonly cpuTicks: number | undefined;
      /** Every thread is stopped, by SIGSTOP or a debugger. */
      readonly isStopped: boolean;
    };

/** Silent checks so far. */
export interface Silence {
  readonly checks: number;
  /** Those in which the main thread used no CPU time. */
  readonly idleChecks: number;
  readonly cpuTicks: number | undefined;
}

/** Nothing is amiss. */
export const noSilence: Silence = { checks: 0, idleChecks: 0, cpuTicks: undefined };

/** The verdict after a check. */
export type Verdict =
  | { readonly kind: "well"; readonly silence: Silence }
  /** It is silent for as long as an idle one may be, and its main thread works. */
  | { readonly kind: "busy"; readonly silence: Silence }
  /** `isStopped`: every thread is, so that its workers do not serve either. */
  | { readonly kind: "hung"; readonly isStopped: boolean; readonly reason: string };

/** Decide from the silence before and what the check saw. */
export function judge(policy: HangPolicy, before: Silence, check: Check): Verdict {
  if (check.kind === "answered") return { kind: "well", silence: noSilence };
  const isIdle = before.cpuTicks === undefined || check.cpuTicks === before.cpuTicks;
  const silence: Silence = {
    checks: before.checks + 1,
    idleChecks: isIdle ? before.idleChecks + 1 : 0,
    cpuTicks: check.cpuTicks,
  };
  if (silence.idleChecks >= policy.failures) {
    const { isStopped } = check;
    const what = isStopped ? "is stopped by a signal" : "does nothing";
    return {
      kind: "hung",
      isStopped,
      reason: `its admin interface was silent for ${silence.checks} checks and its main thread ${what}`,
    };
  }
  if (silence.checks >= policy.busyFailures) {
    return {
      kind: "hung",
      isStopped: false,
      reason: `its admin interface was silent for ${silence.checks} checks while its main thread is busy`,
    };
  }
  return { kind: silence.checks >= policy.failures ? "busy" : "well", silence };
}

/** Whom to watch; `id` tells one from the next. */
export interface WatchTarget {
  readonly id: number;
  readonly answers: (timeoutMs: number) => Promise<boolean>;
  /** CPU time of its main thread, and whether all of it is stopped. */
  readonly threads: () => { readonly cpuTicks: number | undefined; readonly isStopped: boolean };
}

/**
 * Check until `signal` aborts.
 *
 * @param target the Envoy of the moment; undefined while there is none that owes an answer
 * @param wait hastened where there is cause for a check
 */
export async function watchForHangs(
  policy: HangPolicy,
  target: () => WatchTarget | undefined,
  on: {
    readonly hung: (id: number, verdict: Extract<Verdict, { kind: "hung" }>) => void;
    /** It has begun to be busy, or answers again. */
    readonly busy: (id: number, isBusy: boolean) => void;
  },
  signal: AbortSignal,
  wait?: TickWait,
): Promise<void> {
  let watched: number | undefined;
  let silence = noSilence;
  let isBusy = false;
  const everyMs = (): number => policy.intervalMs * (silence.checks === 0 ? restingIntervals : 1);
  for await (const _ of ticks(everyMs, signal, wait)) {
    const envoy = target();
    if (envoy?.id !== watched) {
      silence = noSilence;
      isBusy = false;
    }
    watched = envoy?.id;
    if (envoy === undefined) continue;
    const check = await look(envoy, policy.timeoutMs);
    if (target()?.id !== envoy.id) continue;
    const verdict = judge(policy, silence, check);
    silence = verdict.kind === "hung" ? noSilence : verdict.silence;
    if (verdict.kind === "hung") on.hung(envoy.id, verdict);
    else if (isBusy !== (verdict.kind === "busy")) on.busy(envoy.id, !isBusy);
    isBusy = verdict.kind === "busy";
  }
}

async function look(envoy: WatchTarget, timeoutMs: number): Promise<Check> {
  if (await envoy.answers(timeoutMs)) return { kind: "answered" };
  return { kind: "silent", ...envoy.threads() };
}
