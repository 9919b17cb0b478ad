/**
 * Supervision as one pure function: what follows from an event, in the state that things are in.
 *
 * A runner carries the effects out, and what comes of them are events again. Whatever happens in the world happens
 * through one of them, so that every order of events can be tried without a process.
 */
import { end as endForColdSwap } from "./cold-swap.ts";
import { exited, explained, recover } from "./deaths.ts";
import type { Effect } from "./effect.ts";
import type { SupervisionEvent, SupervisionTimer } from "./event.ts";
import { passProbation } from "./good-launch.ts";
import { hung, replacementIsOverdue } from "./hangs.ts";
import { beginRequest, mendIsDue, requested } from "./requests.ts";
import { afterProof, begin, notStarted, startIsDue, started } from "./starts.ts";
import type { SupervisionState } from "./state.ts";
import { continueStop, drainedForStop, stop } from "./stops.ts";
import {
  afterNewcomerProof,
  checked,
  interruptSwap,
  newcomerLive,
  newcomerNotStarted,
  newcomerStarted,
} from "./swaps.ts";
import { type Moment, Turn } from "./turn.ts";

/** What an event leads to. */
export interface Transition {
  readonly state: SupervisionState;
  /** To be carried out in this order. */
  readonly effects: readonly Effect[];
}

/** Decide. */
export function transition(state: SupervisionState, event: SupervisionEvent, moment: Moment): Transition {
  const turn = new Turn(state, moment);
  handle(turn, event);
  recover(turn);
  continueStop(turn);
  if (turn.mayBegin) beginRequest(turn);
  return { state: turn.state, effects: turn.effects };
}

function handle(turn: Turn, event: SupervisionEvent): void {
  switch (event.kind) {
    case "begin":
      begin(turn, event.launch, undefined);
      break;
    case "services-attached":
      turn.set({ hasServices: true });
      turn.mayBegin = true;
      break;
    case "swap-requested":
      requested(turn, event);
      break;
    case "stop":
      stop(turn, event.reason);
      break;
    case "application-ended":
      turn.set({ hasApplicationEnded: true });
      break;
    case "hurry":
      turn.set({ isHurried: true });
      interruptSwap(turn);
      break;
    case "checked":
      checked(turn, event.verdict);
      break;
    case "hung":
      hung(turn, event);
      break;
    case "explained":
      explained(turn, event);
      break;
    case "timer":
      afterTimer(turn, event.timer);
      break;
    case "drained-on-request":
    case "started":
    case "not-started":
    case "waits-for":
    case "live":
    case "proof":
    case "drained":
    case "exited":
      handleOfEnvoy(turn, event);
      break;
  }
}

type EnvoyEvent = Extract<
  SupervisionEvent,
  {
    kind:
      | "drained-on-request"
      | "started"
      | "not-started"
      | "waits-for"
      | "live"
      | "proof"
      | "drained"
      | "exited";
  }
>;

/** What is told of an Envoy that is gone already is no news. */
function handleOfEnvoy(turn: Turn, event: EnvoyEvent): void {
  const { number } = event;
  const envoy = turn.envoy(number);
  if (envoy === undefined) return;
  const { phase } = envoy;
  switch (event.kind) {
    case "drained-on-request":
      turn.log("info", "draining Envoy on request, it is kept", { generation: number, how: event.how });
      turn.change(number, { drained: event.isWhole || envoy.drained === "whole" ? "whole" : "listeners" });
      break;
    case "started":
      turn.change(number, {
        pid: event.pid,
        lineage: event.isHotCapable ? (envoy.lineage ?? number) : undefined,
      });
      if (phase.kind === "newcomer") newcomerStarted(turn, number);
      else started(turn, { ...envoy, pid: event.pid });
      break;
    case "not-started":
      if (phase.kind === "newcomer") newcomerNotStarted(turn, number, event.reason);
      else notStarted(turn, envoy, event.reason);
      break;
    case "waits-for":
      if (phase.kind === "starting") {
        turn.change(number, { phase: { kind: "starting", waitingFor: event.reason } });
      }
      break;
    case "live":
      if (phase.kind === "newcomer") newcomerLive(turn, number, phase.mode);
      else if (envoy.serves === "nobody") turn.change(number, { serves: "whoever-connects" });
      break;
    case "proof": {
      const { swap } = turn.state;
      if (phase.kind !== "newcomer") afterProof(turn, envoy, event.result);
      else if (swap?.kind === "proving" && swap.newcomer === number)
        afterNewcomerProof(turn, swap, phase.mode, phase.isLive, event.result);
      break;
    }
    case "drained":
      if (phase.kind !== "draining") break;
      if (phase.before === "stop") drainedForStop(turn, number);
      else endForColdSwap(turn, number);
      break;
    case "exited":
      exited(turn, envoy, event.exit, event.isSignaled);
      break;
  }
}

function afterTimer(turn: Turn, timer: SupervisionTimer): void {
  switch (timer.kind) {
    case "start":
      startIsDue(turn, timer.number);
      break;
    case "recheck":
      turn.set({ isRecheckSet: false });
      turn.mayBegin = true;
      break;
    case "probation":
      passProbation(turn, timer.number);
      break;
    case "hung":
      replacementIsOverdue(turn, timer.number);
      break;
    case "mend":
      mendIsDue(turn, timer.number);
      break;
    case "patience":
      interruptSwap(turn);
      break;
  }
}
