/** Transitions that are each wrong in one thing: what the model check must find. */
import type { Effect } from "../../../src/envoy/supervision/effect.ts";
import type { Envoy, SupervisionState } from "../../../src/envoy/supervision/state.ts";
import { transition } from "../../../src/envoy/supervision/transition.ts";
import type { TransitionFunction } from "./world.ts";

export interface Mutant {
  readonly name: string;
  readonly transition: TransitionFunction;
}

function forgets(name: string, isForgotten: (effect: Effect, state: SupervisionState) => boolean): Mutant {
  return {
    name: `forgets ${name}`,
    transition: (state, event, moment) => {
      const next = transition(state, event, moment);
      return { ...next, effects: next.effects.filter((effect) => !isForgotten(effect, next.state)) };
    },
  };
}

function forgetsAll(kind: Effect["kind"]): Mutant {
  return forgets(`to ${kind}`, (effect) => effect.kind === kind);
}

function forgetsTimer(kind: string): Mutant {
  return forgets(`the timer ${kind}`, (effect) => effect.kind === "set-timer" && effect.timer.kind === kind);
}

function changes(
  name: string,
  change: (after: SupervisionState, before: SupervisionState) => SupervisionState,
): Mutant {
  return {
    name,
    transition: (state, event, moment) => {
      const next = transition(state, event, moment);
      return { ...next, state: change(next.state, state) };
    },
  };
}

function changesEnvoys(name: string, change: (envoy: Envoy) => Envoy): Mutant {
  return changes(name, (state) => ({ ...state, envoys: state.envoys.map(change) }));
}

export const mutants: readonly Mutant[] = [
  ...(
    [
      "answer",
      "kill",
      "terminate",
      "drain",
      "retire",
      "explain",
      "heal-lineage",
      "advance-epoch",
      "check",
      "prove",
      "cancel-proof",
      "count-exit",
      "end",
    ] as const
  ).map(forgetsAll),
  ...["start", "recheck", "hung", "mend"].map(forgetsTimer),
  {
    name: "sends SIGTERM where it must be SIGKILL",
    transition: (state, event, moment) => {
      const next = transition(state, event, moment);
      const effects = next.effects.map((effect) =>
        effect.kind === "kill" ? { kind: "terminate" as const, number: effect.number } : effect,
      );
      return { ...next, effects };
    },
  },
  {
    name: "takes LIVE for proven",
    transition: (state, event, moment) =>
      transition(
        state,
        event.kind === "live" ? { kind: "proof", number: event.number, result: { kind: "proven" } } : event,
        moment,
      ),
  },
  {
    name: "replaces an Envoy by a newcomer that lacks something",
    transition: (state, event, moment) =>
      transition(
        state,
        event.kind === "proof" && event.result.kind === "faulty"
          ? { ...event, result: { kind: "proven" } }
          : event,
        moment,
      ),
  },
  {
    name: "takes any look for leave to swap cold",
    transition: (state, event, moment) =>
      transition(
        state,
        event.kind === "checked" ? { kind: "checked", verdict: { kind: "go", mode: "cold" } } : event,
        moment,
      ),
  },
  {
    name: "overhears the end of a process",
    transition: (state, event, moment) =>
      event.kind === "exited" && event.number > 1 ? { state, effects: [] } : transition(state, event, moment),
  },
  changesEnvoys("keeps a replaced Envoy as one that serves", (envoy) =>
    envoy.phase.kind === "retiring" ? { ...envoy, phase: { kind: "serving" } } : envoy,
  ),
  changesEnvoys("forgets that one is proven", (envoy) => ({ ...envoy, provenAt: undefined })),
  changesEnvoys("forgets that one is blind", (envoy) => ({ ...envoy, isBlind: false })),
  changesEnvoys("forgets what a cold swap started one for", (envoy) => ({ ...envoy, trial: undefined })),
  changes("forgets deaths", (state) => ({ ...state, deaths: [] })),
  changes("forgets a swap that is under way", (state) => ({ ...state, swap: undefined })),
  changes("forgets a request that waits", (state) => ({
    ...state,
    requests: { ...state.requests, change: undefined },
  })),
  changes("forgets that it is to stop", (state) => ({ ...state, course: { kind: "serve" } })),
  changes("shows what was", (state, { shown }) => ({ ...state, shown })),
  changes("leaves the place to the dead", (state, { place }) =>
    state.place.kind === "unexplained" ? { ...state, place } : state,
  ),
  changes("takes the waiting start for a lost one", (state) =>
    state.place.kind === "waiting" ? { ...state, place: { kind: "empty" } } : state,
  ),
  changes("never lets a retiring Envoy be seen", (state) => ({
    ...state,
    envoys: state.envoys.filter(({ phase }) => phase.kind !== "retiring"),
  })),
];
