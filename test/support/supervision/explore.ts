/** Tries orders of events: every one to a depth, or one that is drawn. */
import { broken } from "./invariants.ts";
import {
  type Choice,
  choices,
  due,
  happen,
  initialWorld,
  type Step,
  type TransitionFunction,
  type World,
} from "./world.ts";
import { launchNamed } from "./launches.ts";

/** What was found, with the events that lead there. */
export interface Violation {
  readonly rules: readonly string[];
  readonly trace: readonly string[];
}

/** The world with its first Envoy started. */
export function begun(transition?: TransitionFunction): World {
  const event = { kind: "begin", launch: launchNamed("first") } as const;
  return last(happen(initialWorld, { event, afterMs: 0 }, transition));
}

function last(steps: readonly Step[]): World {
  const step = steps.at(-1);
  if (step === undefined) throw new Error("nothing happened");
  return step.after;
}

/**
 * Let drawn events happen, then stop, and let everything come to its end.
 *
 * @param draws numbers from 0 to 1, one per event
 */
export function walk(
  draws: readonly number[],
  transition?: TransitionFunction,
): { readonly violation: Violation | undefined; readonly events: number } {
  const taken: Step[] = [];
  let world = begun(transition);
  let events = 0;
  const go = (choice: Choice, startSucceeds: boolean): Violation | undefined => {
    const steps = happen(world, choice, transition, startSucceeds);
    events += steps.length;
    for (const step of steps) {
      taken.push(step);
      const rules = broken(step);
      if (rules.length > 0) return { rules, trace: taken.map(describe) };
    }
    world = last(steps);
    return undefined;
  };
  for (const draw of draws) {
    const choice = drawn(choices(world), draw);
    if (choice === undefined) break;
    // A twentieth of the starts finds a full disk.
    const violation = go(choice, (draw * 1e6) % 1 > 0.05);
    if (violation !== undefined) return { violation, events };
  }
  const ending = endOf(world, go, () => world);
  return { violation: ending === undefined ? undefined : { ...ending, trace: taken.map(describe) }, events };
}

/** A stop comes to its end by nothing but what is due. */
function endOf(
  world: World,
  go: (choice: Choice, startSucceeds: boolean) => Violation | undefined,
  current: () => World,
): Violation | undefined {
  if (world.state.course.kind === "serve") {
    const event = { kind: "stop", reason: new Error("SIGTERM") } as const;
    const violation = go({ event, weight: 1, afterMs: 10 }, true);
    if (violation !== undefined) return violation;
  }
  for (let left = 60; left > 0; left -= 1) {
    if (current().ends.length > 0) return undefined;
    const [next] = due(current()).toSorted((a, b) => a.afterMs - b.afterMs);
    if (next === undefined) break;
    const violation = go(next, true);
    if (violation !== undefined) return violation;
  }
  return current().ends.length > 0 ? undefined : { rules: ["a stop without an end"], trace: [] };
}

function drawn(all: readonly Choice[], draw: number): Choice | undefined {
  const total = all.reduce((sum, { weight }) => sum + weight, 0);
  let rest = draw * total;
  return all.find(({ weight }) => (rest -= weight) < 0) ?? all.at(-1);
}

/** Try every order of events from `world` on, each state once. */
export function exhaust(
  from: readonly World[],
  depth: number,
  transition?: TransitionFunction,
): { readonly violation: Violation | undefined; readonly states: number } {
  const seen = new Set<string>();
  let front: readonly History[] = from.map((world) => ({ world, steps: [] }));
  for (let left = depth; left > 0; left -= 1) {
    const next: History[] = [];
    for (const { world, steps } of front) {
      for (const { event } of choices(world)) {
        const more = happen(world, { event, afterMs: 0 }, transition);
        const rules = more.flatMap(broken);
        const history = { world: last(more), steps: [...steps, ...more] };
        if (rules.length > 0) {
          return { violation: { rules, trace: history.steps.map(describe) }, states: seen.size };
        }
        const key = keyOf(history.world);
        if (seen.has(key)) continue;
        seen.add(key);
        next.push(history);
      }
    }
    front = next;
  }
  return { violation: undefined, states: seen.size };
}

interface History {
  readonly world: World;
  readonly steps: readonly Step[];
}

/** Worlds with the same key go on alike. */
function keyOf({ state, processes, ...rest }: World): string {
  const living = processes.filter(({ isAlive }) => isAlive);
  return JSON.stringify({ ...rest, state: { ...state, policy: undefined }, processes: living });
}

function describe({ event, effects, after }: Step): string {
  const { shown, place, swap } = after.state;
  const done = effects
    .filter(({ kind }) => kind !== "log")
    .map((effect) => ("number" in effect ? `${effect.kind} ${effect.number}` : effect.kind));
  return `${JSON.stringify(event)} → ${done.join(", ")} [${shown.kind}, ${place.kind}, ${swap?.kind ?? "no swap"}]`;
}
