/** What must hold whatever happens: each is judged by the world, not by what the state says of itself. */
import { readinessWithoutAsking } from "../../../src/envoy/supervision/serving.ts";
import { activeOf, type Envoy, hotChildOf } from "../../../src/envoy/supervision/state.ts";
import type { SwapRequest } from "../../../src/envoy/supervision/swap-request.ts";
import type { Process, Step, World } from "./world.ts";

/** What is broken by a step, in words; empty when nothing is. */
export function broken(step: Step): readonly string[] {
  return rules.flatMap((rule) => rule(step) ?? []);
}

type Rule = (step: Step) => string | undefined;

function processOf({ processes }: World, number: number): Process | undefined {
  return processes.find((process) => process.number === number);
}

/** Phases of an Envoy that accepts or is to accept connections for good. */
function holdsPlace({ phase }: Envoy): boolean {
  return ["starting", "serving", "hung", "draining"].includes(phase.kind);
}

const neverTwoActive: Rule = ({ after: { state } }) => {
  const holders = state.envoys.filter(holdsPlace).map(({ number }) => number);
  const { place } = state;
  const strangers = holders.filter((number) => place.kind !== "taken" || place.by !== number);
  return strangers.length === 0 ? undefined : `Envoys ${holders.join(", ")} hold the place of one`;
};

const neverTwoNewcomers: Rule = ({ after: { state } }) => {
  const newcomers = state.envoys.filter(({ phase }) => phase.kind === "newcomer");
  const { swap } = state;
  if (newcomers.length > 1) return "two newcomers at a time";
  const [newcomer] = newcomers;
  if (newcomer === undefined) return undefined;
  const isKnown =
    (swap?.kind === "proving" || swap?.kind === "abandoning") && swap.newcomer === newcomer.number;
  return isKnown || state.course.kind !== "serve" ? undefined : "a newcomer without a swap";
};

/** One that is proven, not hung and not in a stop or a cold swap is ended only when another one has its place. */
const servingIsKept: Rule = ({ before, after, effects }) => {
  const { state } = after;
  for (const effect of effects) {
    if (effect.kind !== "kill" && effect.kind !== "terminate" && effect.kind !== "retire") continue;
    const process = processOf(before, effect.number);
    if (process?.isProven !== true || process.isHung || process.isRetired) continue;
    const mayEnd =
      state.course.kind !== "serve" || (state.swap?.kind === "clearing" && state.swap.old === effect.number);
    const successor = activeOf(state);
    const next = successor === undefined ? undefined : processOf(after, successor.number);
    const isReplaced =
      next !== undefined &&
      next.number !== effect.number &&
      next.isAlive &&
      (next.isProven || (next.mode === "hot" && next.isLive));
    // A hot restart child that took the listeners and died has left the old one with nothing to accept on.
    const isBereft = effect.kind === "retire" && effect.how === "bereft";
    if (!mayEnd && !isReplaced && !isBereft) return `Envoy ${effect.number} serves and is ended`;
  }
  return undefined;
};

/** A cold swap ends what serves only when the look has said that there is no other way. */
const coldIsAsked: Rule = ({ event, effects }) => {
  const isCold = effects.some((effect) => effect.kind === "drain" && effect.before === "cold-swap");
  const isAsked = event.kind === "checked" && event.verdict.kind === "go" && event.verdict.mode === "cold";
  return isCold && !isAsked ? "a cold swap that nobody has decided" : undefined;
};

const readyWhileServing: Rule = ({ after }) => {
  const { state } = after;
  if (state.course.kind !== "serve" || state.swap?.kind === "clearing") return undefined;
  const serving = after.processes.filter(
    ({ isAlive, isProven, isHung, isRetired, isSignaled }) =>
      isAlive && isProven && !isHung && !isRetired && !isSignaled,
  );
  const active = activeOf(state);
  const verdict = readinessWithoutAsking(state.shown, active, hotChildOf(state) === undefined);
  const isReady = verdict === "ask" || verdict.ready;
  if (serving.some(({ number }) => number === active?.number) && !isReady) {
    return `not ready while Envoy ${active?.number} serves`;
  }
  const isAlive = active !== undefined && processOf(after, active.number)?.isAlive === true;
  return isReady && !isAlive ? "ready while nobody serves" : undefined;
};

const redAfterDeath: Rule = ({ event, before, after }) => {
  if (event.kind !== "exited" || activeOf(before.state)?.number !== event.number) return undefined;
  const { kind } = after.state.shown;
  return kind === "live" ? "shown live in the turn of its death" : undefined;
};

/** Whoever has asked is answered, or is known to something that will answer. */
const noLostRequest: Rule = ({ after: { state, unanswered } }) => {
  const { requests, swap, place, envoys } = state;
  const known: readonly (SwapRequest | undefined)[] = [
    requests.change,
    swap?.request,
    place.kind === "waiting" ? place.trial : undefined,
    place.kind === "lost" ? place.loss.envoy.trial : undefined,
    ...envoys.map(({ trial }) => trial),
    ...state.dead.map(({ trial }) => trial),
  ];
  const askers = new Set(known.flatMap((request) => request?.askers ?? []));
  const lost = unanswered.filter((asker) => !askers.has(asker));
  return lost.length === 0 ? undefined : `request ${lost.join(", ")} is lost`;
};

/** As long as it is to serve and nobody has the place, something that was begun will put somebody there. */
const neverStuck: Rule = ({ after }) => {
  const { state, timers, unexplained, processes } = after;
  const { place, swap, course } = state;
  if (course.kind === "over" || state.newest === 0) return undefined;
  const isTimed = (kind: string): boolean => timers.some(({ timer }) => timer.kind === kind);
  if (swap !== undefined && !isUnderWay(after)) return `a swap that is ${swap.kind} and waits for nothing`;
  if (course.kind === "serve") {
    if (place.kind === "empty") return "nobody is to serve";
    if (place.kind === "waiting" && !isTimed("start")) return "a start without its timer";
    if (place.kind === "unexplained" && !unexplained.some(({ number }) => number === place.dead))
      return "a death that nobody explains";
    if (place.kind === "lost" && swap === undefined) return "a death without a consequence";
    const { change, repair } = state.requests;
    if ((change ?? repair) !== undefined && swap === undefined && !isTimed("recheck")) {
      const isNoticed = place.kind !== "taken" || unexplained.length > 0;
      if (!isNoticed) return "a request that nobody looks at again";
    }
    return undefined;
  }
  const isEnding =
    after.ends.length > 0 ||
    unexplained.length > 0 ||
    swap !== undefined ||
    processes.some(({ isAlive, isSignaled }) => isAlive && isSignaled) ||
    after.drains.length > 0;
  return isEnding ? undefined : "a stop that waits for nothing";
};

function isUnderWay({ state: { swap }, check, proofs, processes, unexplained, drains }: World): boolean {
  const isEnding = (number: number): boolean =>
    processes.some((process) => process.number === number && process.isAlive && process.isSignaled);
  switch (swap?.kind) {
    case undefined:
      return true;
    case "checking":
      return check !== undefined;
    case "proving":
      return (
        proofs.some(({ number }) => number === swap.newcomer) ||
        // The newcomer was started in this very turn.
        processes.some(({ number, isAlive }) => number === swap.newcomer && isAlive)
      );
    case "died":
      return unexplained.some(({ number }) => number === swap.newcomer.number);
    case "abandoning":
      return isEnding(swap.newcomer);
    case "clearing":
      return drains.includes(swap.old) || isEnding(swap.old);
  }
}

/** A stop starts nobody, and it ends once, with nobody left. */
const stopStops: Rule = ({ before, after, effects }) => {
  const isStopping = before.state.course.kind !== "serve";
  if (isStopping && effects.some(({ kind }) => kind === "start")) return "a start after the stop";
  if (after.ends.length > 1) return "two ends";
  if (after.ends.length === 0) return undefined;
  if (after.processes.some(({ isAlive }) => isAlive)) return "an end with an Envoy left";
  if (after.unexplained.length > 0) return "an end before every death is explained";
  return after.unanswered.length > 0 ? "an end with a request that is not answered" : undefined;
};

/** F3: a signal that a hot restart child handles ends its parent as well. */
const childrenAreKilled: Rule = ({ before, effects }) => {
  const newcomers = before.state.envoys.filter(({ phase }) => phase.kind === "newcomer");
  return effects.some(
    (effect) => effect.kind === "terminate" && newcomers.some(({ number }) => number === effect.number),
  )
    ? "SIGTERM to a newcomer"
    : undefined;
};

/** F1, F2: one that dies or is killed before it serves is healed from, and leaves a parent that is known to be blind. */
const failedChildIsMended: Rule = ({ before, after, effects }) => {
  const { swap } = before.state;
  if (swap === undefined || after.state.swap?.kind === swap.kind) return undefined;
  const number =
    swap.kind === "died" ? swap.newcomer.number : swap.kind === "abandoning" ? swap.newcomer : undefined;
  const process = number === undefined ? undefined : processOf(after, number);
  if (process?.mode !== "hot" || process.isAlive) return undefined;
  const isLost = swap.kind === "died" && process.isLive;
  if (!isLost && !effects.some((effect) => effect.kind === "heal-lineage")) return "a lineage is not healed";
  const active = activeOf(after.state);
  const isKnown = active === undefined || active.isBlind || active.number > process.number;
  return isLost || isKnown || after.state.course.kind !== "serve" ? undefined : "a blind parent is not known";
};

/** 2.2.1: the epoch advances with a child that was LIVE, and with no other. */
const epochFollowsLive: Rule = ({ after, effects }) => {
  const advanced = effects.flatMap((effect) => (effect.kind === "advance-epoch" ? [effect.number] : []));
  const wrong = advanced.filter((number) => {
    const process = processOf(after, number);
    return process?.mode !== "hot" || !process.isLive;
  });
  if (wrong.length > 0) return "the epoch advances without a LIVE child";
  const promoted = effects.flatMap((effect) => (effect.kind === "show-bootstrap" ? [effect.number] : []));
  const missing = promoted.filter(
    (number) => processOf(after, number)?.mode === "hot" && !advanced.includes(number),
  );
  return missing.length > 0 ? "the epoch stays behind a child that serves" : undefined;
};

/** F7: a third epoch would end the oldest; no change is begun while a replaced Envoy has connections. */
const swapsAreSpaced: Rule = ({ before, after, effects }) => {
  const isRetiring = after.state.envoys.some(({ phase }) => phase.kind === "retiring");
  const begun = effects.some((effect) => effect.kind === "check" && effect.request.repairs === undefined);
  const isServing = activeOf(before.state)?.provenAt !== undefined;
  return isRetiring && isServing && begun
    ? "a change begins while a replaced Envoy has connections"
    : undefined;
};

/** F4: a parent that has died before its time is no secret: its child is given a successor. */
const orphansAreReplaced: Rule = ({ after: { state, timers } }) => {
  const active = activeOf(state);
  if (active?.isOrphaned !== true || state.course.kind !== "serve") return undefined;
  if (active.phase.kind !== "starting" && active.phase.kind !== "serving") return undefined;
  const isMended =
    state.requests.repair?.repairs === active.number ||
    state.swap?.request.repairs === active.number ||
    (state.swap !== undefined && state.swap.request.repairs === undefined) ||
    timers.some(({ timer }) => timer.kind === "mend" && timer.number === active.number);
  return isMended ? undefined : "an orphan without a successor to come";
};

/** A blind Envoy, likewise. */
const blindAreReplaced: Rule = ({ after: { state, timers } }) => {
  const active = activeOf(state);
  if (active?.isBlind !== true || state.course.kind !== "serve" || active.phase.kind !== "serving")
    return undefined;
  const isMended =
    state.requests.repair?.repairs === active.number ||
    state.swap !== undefined ||
    timers.some(({ timer }) => timer.kind === "mend" && timer.number === active.number);
  return isMended ? undefined : "a blind Envoy without a successor to come";
};

/** Whoever is to be proven is followed. */
const startingIsFollowed: Rule = ({ after }) => {
  const active = activeOf(after.state);
  if (active?.phase.kind !== "starting" || active.pid === undefined) return undefined;
  const isFollowed = after.proofs.some(({ number }) => number === active.number);
  return isFollowed ? undefined : `nobody follows Envoy ${active.number}`;
};

/** What is shown is so. */
const shownIsTrue: Rule = ({ after }) => {
  const { shown, course, swap } = after.state;
  if (after.ends.length > 0) return shown.kind === "stopped" ? undefined : "an end that is not shown";
  if (course.kind !== "serve" || swap?.kind === "clearing") return undefined;
  const active = activeOf(after.state);
  const process = active === undefined ? undefined : processOf(after, active.number);
  // What is said of one that is on its way out anyway is of no use to anybody.
  if (process?.isHung === true || process?.isSignaled === true) return undefined;
  const isServing = process?.isProven === true;
  const isShown = shown.kind === "live" && shown.generation === active?.number;
  return isServing === isShown ? undefined : `shown ${shown.kind} while ${isServing ? "live" : "not live"}`;
};

/** A hung Envoy is not waited for beyond its time. */
const hungAreEnded: Rule = ({ after: { state, timers, processes } }) => {
  const active = activeOf(state);
  if (active?.phase.kind !== "hung" || state.course.kind !== "serve") return undefined;
  const isSignaled = processes.some(({ number, isSignaled: is }) => number === active.number && is);
  const isTimed = timers.some(({ timer }) => timer.kind === "hung" && timer.number === active.number);
  return isSignaled || isTimed ? undefined : "a hung Envoy that nobody ends";
};

/** What dies before it serves is not started at once for ever, and a crash loop comes to an end. */
const backOffAndBudget: Rule = ({ before, after, effects }) => {
  const { restarts, now, state } = after;
  const { windowMs, budget, stableAfterMs } = state.policy.restart;
  if (restarts.length === before.restarts.length) return undefined;
  const stable = restarts.findLastIndex(({ servedMs = 0 }) => servedMs >= stableAfterMs);
  const recent = restarts.slice(Math.max(0, stable)).filter(({ at }) => now - at < windowMs);
  if (recent.length > budget) return "a restart beyond the budget";
  const started = effects.find((effect) => effect.kind === "start");
  if (started === undefined) return undefined;
  const lastThree = recent.slice(-3);
  const isLoop =
    lastThree.length === 3 &&
    lastThree.every(
      ({ servedMs, launch }) => servedMs === undefined && launch === started.launch.fingerprint,
    );
  return isLoop ? "a crash loop without a delay" : undefined;
};

/** A death of the one that serves is counted, unless the agent has asked for it or it was never started. */
const deathsAreCounted: Rule = ({ before, after, event, effects }) => {
  const { place } = before.state;
  if (event.kind !== "explained") return undefined;
  if (!effects.some((effect) => effect.kind === "count-exit")) return "an end that is not counted";
  if (place.kind !== "unexplained" || place.dead !== event.number) return undefined;
  const dead = before.state.dead.find(({ number }) => number === event.number);
  if (dead?.asked !== undefined || event.exit.kind === "not-started") return undefined;
  if (after.state.course.kind !== "serve" || after.state.place.kind === "lost") return undefined;
  const isCounted = after.state.counts.restarts === before.state.counts.restarts + 1;
  return isCounted ? undefined : "a death that is not counted";
};

/** One that was replaced has somebody who brings it to its end. */
const replacedAreRetired: Rule = ({ after }) => {
  const left = after.state.envoys.filter(
    ({ number, phase }) => phase.kind === "retiring" && processOf(after, number)?.isRetired !== true,
  );
  return left.length === 0 ? undefined : `nobody retires Envoy ${left[0]?.number}`;
};

const rules: readonly Rule[] = [
  replacedAreRetired,
  startingIsFollowed,
  shownIsTrue,
  neverTwoActive,
  neverTwoNewcomers,
  servingIsKept,
  coldIsAsked,
  readyWhileServing,
  redAfterDeath,
  noLostRequest,
  neverStuck,
  stopStops,
  childrenAreKilled,
  failedChildIsMended,
  epochFollowsLive,
  swapsAreSpaced,
  orphansAreReplaced,
  blindAreReplaced,
  hungAreEnded,
  backOffAndBudget,
  deathsAreCounted,
];
