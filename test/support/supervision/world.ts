/**
 * What is outside of supervision, as a model: processes, proofs, looks, drains, timers and those who ask. It takes
 * effects in and offers the events that could come of them, so that a test can try them in any order.
 */
import type { ChildExit } from "../../../src/process/child.ts";
import type { Effect } from "../../../src/envoy/supervision/effect.ts";
import type { SupervisionEvent, SupervisionTimer, Verdict } from "../../../src/envoy/supervision/event.ts";
import type { SupervisionEnd } from "../../../src/envoy/supervision/shown.ts";
import {
  activeOf,
  initialState,
  type SupervisionState,
  type TakeOverMode,
} from "../../../src/envoy/supervision/state.ts";
import { transition as realTransition } from "../../../src/envoy/supervision/transition.ts";
import { launchNamed, policy } from "./launches.ts";

export type TransitionFunction = typeof realTransition;

/** One process, as the world knows it. */
export interface Process {
  readonly number: number;
  readonly launch: string;
  /** How it was started: taking over from nobody, or from another. */
  readonly mode: TakeOverMode | "first";
  readonly isAlive: boolean;
  /** A signal that ends it is on its way. */
  readonly isSignaled: boolean;
  readonly isLive: boolean;
  /** It was proven, and nothing has been said against it since. */
  readonly isProven: boolean;
  readonly isHung: boolean;
  /** Its end has been reported to supervision. */
  readonly isRetired: boolean;
}

interface Proof {
  readonly number: number;
  readonly hasLimits: boolean;
  readonly isCancelled: boolean;
}

/** An event that is possible now, and how likely it is among the others. */
export interface Choice {
  readonly weight: number;
  readonly event: SupervisionEvent;
  /** Milliseconds that pass before it. */
  readonly afterMs: number;
}

/** One value: the state of supervision and of all that is around it. */
export interface World {
  readonly state: SupervisionState;
  readonly now: number;
  readonly processes: readonly Process[];
  readonly proofs: readonly Proof[];
  /** The Envoy that a look is to take over from; `nobody` while none serves. */
  readonly check: { readonly from: number | undefined } | undefined;
  readonly drains: readonly number[];
  readonly unexplained: readonly { readonly number: number; readonly exit: ChildExit }[];
  readonly timers: readonly { readonly timer: SupervisionTimer; readonly at: number }[];
  readonly asked: number;
  readonly unanswered: readonly number[];
  readonly ends: readonly SupervisionEnd[];
  readonly restarts: readonly Restart[];
}

/** A start that followed from a death. */
export interface Restart {
  readonly at: number;
  /** How long the dead Envoy had been proven; undefined for one that never was. */
  readonly servedMs: number | undefined;
  /** What the dead one was started from. */
  readonly launch: string;
}

export const initialWorld: World = {
  state: initialState(policy),
  now: 0,
  processes: [],
  proofs: [],
  check: undefined,
  drains: [],
  unexplained: [],
  timers: [],
  asked: 0,
  unanswered: [],
  ends: [],
  restarts: [],
};

/** What an event has led to. */
export interface Step {
  readonly before: World;
  readonly event: SupervisionEvent;
  readonly effects: readonly Effect[];
  readonly after: World;
}

/** Let `event` happen, with the starts that follow at once. */
export function happen(
  world: World,
  choice: Pick<Choice, "event" | "afterMs">,
  transition: TransitionFunction = realTransition,
  startSucceeds = true,
): readonly Step[] {
  const steps: Step[] = [];
  let current: World = { ...world, now: world.now + choice.afterMs };
  const events: SupervisionEvent[] = [choice.event];
  for (let event = events.shift(); event !== undefined; event = events.shift()) {
    const before = noticed(current, event);
    const { state, effects } = transition(before.state, event, { now: before.now, random: 0.5 });
    let after: World = {
      ...before,
      state,
      restarts: [...before.restarts, ...restartsIn(before, state, event)],
    };
    for (const effect of effects) {
      after = affected(after, effect);
      if (effect.kind !== "start") continue;
      const { number } = effect;
      if (startSucceeds || number === 1) {
        events.push({ kind: "started", number, pid: 1_000 + number, isHotCapable: true });
      } else {
        events.push({ kind: "not-started", number, reason: "ENOSPC: no space left on device" });
      }
    }
    steps.push({ before, event, effects, after });
    current = after;
  }
  return steps;
}

/** The restart that a transition counts, told from the death that it follows from. */
function restartsIn(before: World, after: SupervisionState, event: SupervisionEvent): readonly Restart[] {
  if (after.counts.restarts === before.state.counts.restarts) return [];
  const { place, dead, swap } = before.state;
  const known = "number" in event ? dead.find(({ number }) => number === event.number) : undefined;
  const lost = place.kind === "lost" ? place.loss.envoy : undefined;
  // A hot restart child that took over and died is the one whose death counts.
  const phase = swap?.kind === "died" ? swap.newcomer.phase : undefined;
  const hasTakenOver = phase?.kind === "newcomer" && phase.mode === "hot" && phase.isLive;
  const envoy = hasTakenOver ? known : (lost ?? known);
  const servedMs = envoy?.provenAt === undefined ? undefined : before.now - envoy.provenAt;
  return [{ at: before.now, servedMs, launch: envoy?.launch.fingerprint ?? "unknown" }];
}

/** What the world knows once it has told of `event`. */
function noticed(world: World, event: SupervisionEvent): World {
  const change = (number: number, what: Partial<Process>): readonly Process[] =>
    world.processes.map((process) => (process.number === number ? { ...process, ...what } : process));
  switch (event.kind) {
    case "swap-requested":
      return { ...world, asked: world.asked + 1, unanswered: [...world.unanswered, event.asker] };
    case "live":
      return { ...world, processes: change(event.number, { isLive: true }) };
    case "hung":
      return { ...world, processes: change(event.number, { isHung: true }) };
    case "proof":
      return {
        ...world,
        proofs: world.proofs.filter(({ number }) => number !== event.number),
        processes:
          event.result.kind === "proven"
            ? change(event.number, { isProven: true })
            : event.result.kind === "cancelled" && event.result.isLive
              ? change(event.number, { isLive: true })
              : world.processes,
      };
    case "checked":
      return { ...world, check: undefined };
    case "drained":
      return { ...world, drains: world.drains.filter((number) => number !== event.number) };
    case "exited":
      return {
        ...world,
        processes: change(event.number, { isAlive: false, isProven: false }),
        proofs: world.proofs.filter(({ number }) => number !== event.number),
        drains: world.drains.filter((number) => number !== event.number),
      };
    case "not-started":
      return { ...world, processes: world.processes.filter(({ number }) => number !== event.number) };
    case "explained":
      return { ...world, unexplained: world.unexplained.filter(({ number }) => number !== event.number) };
    case "timer": {
      const key = JSON.stringify(event.timer);
      return { ...world, timers: world.timers.filter(({ timer }) => JSON.stringify(timer) !== key) };
    }
    default:
      return world;
  }
}

function affected(world: World, effect: Effect): World {
  const signal = (number: number): readonly Process[] =>
    world.processes.map((process) =>
      process.number === number ? { ...process, isSignaled: true } : process,
    );
  switch (effect.kind) {
    case "start": {
      const { number, launch, descent } = effect;
      const process: Process = {
        ...{ number, launch: launch.fingerprint, isAlive: true, isSignaled: false, isLive: false },
        mode: descent.kind === "first" ? "first" : descent.mode,
        ...{ isProven: false, isHung: false, isRetired: false },
      };
      return { ...world, processes: [...world.processes, process] };
    }
    case "prove": {
      const proof = { number: effect.number, hasLimits: effect.limits !== undefined, isCancelled: false };
      return { ...world, proofs: [...world.proofs, proof] };
    }
    case "cancel-proof":
      return {
        ...world,
        proofs: world.proofs.map((proof) =>
          proof.number === effect.number ? { ...proof, isCancelled: true } : proof,
        ),
      };
    case "check":
      return { ...world, check: { from: effect.from } };
    case "cancel-check":
      return { ...world, check: undefined };
    case "kill":
    case "terminate":
      return { ...world, processes: signal(effect.number) };
    case "retire":
      return {
        ...world,
        processes: world.processes.map((process) =>
          process.number === effect.number ? { ...process, isRetired: true } : process,
        ),
      };
    case "drain":
      return { ...world, drains: [...world.drains, effect.number] };
    case "cancel-drain":
      return { ...world, drains: world.drains.filter((number) => number !== effect.number) };
    case "explain":
      return {
        ...world,
        unexplained: [...world.unexplained, { number: effect.number, exit: effect.exit }],
      };
    case "set-timer": {
      const key = JSON.stringify(effect.timer);
      const others = world.timers.filter(({ timer }) => JSON.stringify(timer) !== key);
      return { ...world, timers: [...others, { timer: effect.timer, at: world.now + effect.ms }] };
    }
    case "answer":
      return { ...world, unanswered: world.unanswered.filter((asker) => !effect.askers.includes(asker)) };
    case "end":
      return { ...world, ends: [...world.ends, effect.end] };
    default:
      return world;
  }
}

const killed: ChildExit = { kind: "signaled", signal: "SIGKILL" };
const wentWell: ChildExit = { kind: "exited", code: 0 };

/** What comes without anybody doing anything more: the ends of all that is under way. */
export function due(world: World): readonly Choice[] {
  return [
    ...world.processes.flatMap(({ number, isAlive, isSignaled }) =>
      isAlive && isSignaled ? [exits(number, killed, true, 6)] : [],
    ),
    ...world.proofs.flatMap(({ number, isCancelled }) =>
      isCancelled ? [tell({ kind: "proof", number, result: { kind: "cancelled", isLive: false } }, 6)] : [],
    ),
    ...world.drains.map((number) => tell({ kind: "drained", number }, 4)),
    ...world.unexplained.map(({ number, exit }) => explains(number, exit, false, 8)),
    ...world.timers.map(({ timer, at }) => ({
      ...tell({ kind: "timer", timer }, 4),
      afterMs: Math.max(0, at - world.now),
    })),
  ];
}

/** Everything that could happen next. */
export function choices(world: World): readonly Choice[] {
  return [...due(world), ...outside(world), ...troubles(world), ...wishes(world)];
}

/** How looks and proofs may go. */
function outside(world: World): readonly Choice[] {
  const verdicts = world.check === undefined ? [] : possibleVerdicts(world.check.from);
  return [
    ...verdicts.map((verdict) => tell({ kind: "checked", verdict }, verdict.kind === "go" ? 8 : 2)),
    ...world.proofs.flatMap(({ number, hasLimits, isCancelled }) => {
      const process = world.processes.find((candidate) => candidate.number === number);
      if (process === undefined) return [];
      const { isLive, mode } = process;
      const late = { kind: "cancelled", isLive: true } as const;
      if (isCancelled) return mode === "hot" ? [tell({ kind: "proof", number, result: late }, 2)] : [];
      if (!isLive) {
        const reason = "not LIVE after 30000 ms";
        return [
          tell({ kind: "live", number }, 12),
          tell({ kind: "waits-for", number, reason: "no configuration" }, 1),
          ...(hasLimits ? [tell({ kind: "proof", number, result: { kind: "never-live", reason } }, 2)] : []),
        ];
      }
      const reason = "no certificate";
      return [
        tell({ kind: "proof", number, result: { kind: "proven" } }, 12),
        ...(hasLimits ? [tell({ kind: "proof", number, result: { kind: "faulty", reason } }, 2)] : []),
      ];
    }),
  ];
}

function possibleVerdicts(from: number | undefined): readonly Verdict[] {
  const refusals: readonly Verdict[] = [
    { kind: "refuse", stage: "validate", reason: "Envoy refuses the bootstrap" },
    { kind: "refuse", stage: "ports", reason: "port 80 is in use by pid 7" },
  ];
  const cold: Verdict = { kind: "go", mode: "cold" };
  if (from === undefined) return [...refusals, cold];
  return [
    ...refusals,
    cold,
    { kind: "refuse", stage: "mode", reason: "--swapMode=hot cannot be done" },
    { kind: "wait", reason: "no certificate" },
    { kind: "go", mode: "overlap" },
    { kind: "go", mode: "hot" },
  ];
}

/** What nobody wants. */
function troubles(world: World): readonly Choice[] {
  const active = activeOf(world.state);
  return [
    ...world.processes.flatMap(({ number, isAlive, isRetired }) => {
      if (!isAlive) return [];
      return [exits(number, killed, false, 1), ...(isRetired ? [exits(number, wentWell, false, 6)] : [])];
    }),
    ...world.unexplained.map(({ number, exit }) => explains(number, exit, true, 1)),
    ...(active === undefined || active.isBlind || active.asked !== undefined
      ? []
      : [true, false].map((isStopped) =>
          tell({ kind: "hung", number: active.number, isStopped, reason: "its admin is silent" }, 1),
        )),
  ];
}

/** What somebody wants. */
function wishes(world: World): readonly Choice[] {
  const { state, asked } = world;
  if (state.course.kind === "over" || state.newest === 0) return [];
  const number = activeOf(state)?.number;
  return [
    ...(state.hasServices ? [] : [tell({ kind: "services-attached" }, 20)]),
    ...["first", "second", "third"].map((name) =>
      tell(
        {
          ...{ kind: "swap-requested", asker: asked + 1, launch: launchNamed(name) },
          ...{ trigger: "a test", isForced: name === "third" },
        },
        3,
      ),
    ),
    ...(number === undefined
      ? []
      : [true, false].map((isWhole) =>
          tell({ kind: "drained-on-request", number, how: "POST /drain", isWhole }, 0.2),
        )),
    ...(state.course.kind === "serve" ? [tell({ kind: "stop", reason: new Error("SIGTERM") }, 0.2)] : []),
    ...(state.hasApplicationEnded ? [] : [tell({ kind: "application-ended" }, 0.2)]),
    ...(state.isHurried || state.course.kind === "serve" ? [] : [tell({ kind: "hurry" }, 1)]),
  ];
}

function tell(event: SupervisionEvent, weight: number): Choice {
  return { event, weight, afterMs: 10 };
}

function exits(number: number, exit: ChildExit, isSignaled: boolean, weight: number): Choice {
  return tell({ kind: "exited", number, exit, isSignaled }, weight);
}

function explains(number: number, exit: ChildExit, isRefused: boolean, weight: number): Choice {
  const diagnosis = isRefused
    ? ({ reason: "configuration", message: "Envoy refuses a field", exitCode: 1 } as const)
    : ({ reason: "signal", message: "killed by SIGKILL", exitCode: 137 } as const);
  const kept = isRefused ? launchNamed("kept") : undefined;
  return tell({ kind: "explained", number, exit, diagnosis, kept }, weight);
}
