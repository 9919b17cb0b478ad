import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  afterPoll,
  drainBegun,
  type DrainOptions,
  nextPollMs,
  planDrain,
} from "../../../../src/envoy/drain/drain-plan.ts";
import { nextStep, stopEnd } from "../../../../src/envoy/drain/stop-step.ts";

const second = 1_000;

/** Serves on for 10 s, then drains: 5 s at least, and 8 s once the application has ended. */
const settings = {
  preDrainDelayMs: 10 * second,
  minimumDrainDurationMs: 5 * second,
  terminationDrainDurationMs: 8 * second,
  maximumDrainDurationMs: undefined,
};
const fixed: DrainOptions = { ...settings, exitOnZeroActiveConnections: false };
/** With an idle connection, it would go on for ever. */
const atZero: DrainOptions = { ...settings, exitOnZeroActiveConnections: true };
const limited: DrainOptions = { ...atZero, maximumDrainDurationMs: 20 * second };

type First = "asked" | "application ended";
type Later = "application ended" | "asked" | "asked again" | "Envoy gone" | "no connection left";

interface Happening {
  readonly what: Later;
  readonly atS: number;
}

/** Play a stop in steps of 100 ms: one connection is open until the last is left. */
function play(options: DrainOptions, first: First, later?: Happening): string {
  let drainBeganMs: number | undefined;
  let progress = drainBegun;
  let pollAtMs = 0;
  for (let nowMs = 0; nowMs <= 60 * second; nowMs += 100) {
    const has = (what: Later): boolean => later?.what === what && nowMs >= later.atS * second;
    const applicationEnded = first === "application ended" || has("application ended");
    const plan = planDrain(options, { wasReady: true, applicationEnded });
    const drainedMs = drainBeganMs === undefined ? undefined : nowMs - drainBeganMs;
    if (drainedMs !== undefined && nowMs >= pollAtMs) {
      const connections = has("no connection left") ? 0 : 1;
      progress = afterPoll(progress, { kind: "counted", connections }, drainedMs);
      pollAtMs = nowMs + nextPollMs(plan, drainedMs);
    }
    const isCut = has("asked again");
    const step = nextStep(plan, { isCut, isGone: has("Envoy gone"), waitedMs: nowMs, drainedMs, progress });
    if (step.kind === "drain") drainBeganMs ??= nowMs;
    if (step.kind !== "end") continue;
    const end = stopEnd({ wasEverReady: true, applicationEnded, isCut });
    return `${end} after ${nowMs / second} s: ${step.because}`;
  }
  return "never";
}

const never = "never";
const cut = (atS: number): string => `cut-short after ${atS} s: it was cut short`;
const gone = (atS: number): string => `drained after ${atS} s: Envoy has ended`;
const time = (atS: number): string => `drained after ${atS} s: its time is over`;
const zero = (atS: number): string => `drained after ${atS} s: no connection is left`;

/** In the delay; in the drain before its minimum; after that; and later than an ended application has time. */
const phasesOfAsked = [4, 12, 16.5, 25] as const;

describe("a stop: first reason, what happens then, and when it ends", () => {
  for (const [name, options, first, what, phases, ends] of [
    // A drain of its own length: only what ends Envoy or the patience ends it earlier.
    ["fixed", fixed, "asked", undefined, [0], [time(18)]],
    ["fixed", fixed, "asked", "application ended", [4, 12, 16.5], [time(12), time(18), time(18)]],
    ["fixed", fixed, "asked", "asked again", [4, 12, 16.5], [cut(4), cut(12), cut(16.5)]],
    ["fixed", fixed, "asked", "Envoy gone", [4, 12, 16.5], [gone(4), gone(12), gone(16.5)]],
    ["fixed", fixed, "asked", "no connection left", [4, 12, 16.5], [time(18), time(18), time(18)]],
    ["fixed", fixed, "application ended", undefined, [0], [time(8)]],
    ["fixed", fixed, "application ended", "asked", [2, 6], [time(8), time(8)]],
    ["fixed", fixed, "application ended", "asked again", [2, 6], [cut(2), cut(6)]],
    ["fixed", fixed, "application ended", "Envoy gone", [2, 6], [gone(2), gone(6)]],
    ["fixed", fixed, "application ended", "no connection left", [0, 6.5], [zero(0.1), zero(7.1)]],
    // EXIT_ON_ZERO_ACTIVE_CONNECTIONS.
    ["at zero", atZero, "asked", undefined, [0], [never]],
    [
      "at zero",
      atZero,
      "asked",
      "application ended",
      phasesOfAsked,
      [time(12), time(18), time(18), time(25)],
    ],
    ["at zero", atZero, "asked", "asked again", phasesOfAsked, phasesOfAsked.map((atS) => cut(atS))],
    ["at zero", atZero, "asked", "Envoy gone", phasesOfAsked, phasesOfAsked.map((atS) => gone(atS))],
    [
      "at zero",
      atZero,
      "asked",
      "no connection left",
      phasesOfAsked,
      [zero(15), zero(15), zero(17), zero(25)],
    ],
    ["at zero", atZero, "application ended", undefined, [0], [time(8)]],
    ["at zero", atZero, "application ended", "asked", [2, 6], [time(8), time(8)]],
    ["at zero", atZero, "application ended", "asked again", [2, 6], [cut(2), cut(6)]],
    ["at zero", atZero, "application ended", "Envoy gone", [2, 6], [gone(2), gone(6)]],
    ["at zero", atZero, "application ended", "no connection left", [2, 6.5], [zero(5), zero(7)]],
    // MAXIMUM_DRAIN_DURATION beside it.
    ["limited", limited, "asked", undefined, [0], [time(30)]],
    [
      "limited",
      limited,
      "asked",
      "application ended",
      phasesOfAsked,
      [time(12), time(18), time(18), time(25)],
    ],
    ["limited", limited, "asked", "Envoy gone", [25], [gone(25)]],
    ["limited", limited, "application ended", undefined, [0], [time(8)]],
  ] as const) {
    for (const [index, atS] of phases.entries()) {
      const title = what === undefined ? "nothing else" : `${what} after ${atS} s`;
      test(`${name}, ${first}, ${title}: ${ends[index]}`, () => {
        assert.equal(play(options, first, what === undefined ? undefined : { what, atS }), ends[index]);
      });
    }
  }
});

describe("the end of a stop", () => {
  for (const [wasEverReady, applicationEnded, isCut, end] of [
    [true, false, false, "drained"],
    [true, true, false, "drained"],
    [true, false, true, "cut-short"],
    [true, true, true, "cut-short"],
    [false, false, false, "never-served"],
    [false, true, false, "drained"],
    [false, false, true, "cut-short"],
    [false, true, true, "cut-short"],
  ] as const) {
    test(`${JSON.stringify({ wasEverReady, applicationEnded, isCut })} is ${end}`, () => {
      assert.equal(stopEnd({ wasEverReady, applicationEnded, isCut }), end);
    });
  }
});
