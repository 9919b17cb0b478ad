/** Worlds in which much can go wrong, and what has led to them. */
import type { SupervisionEvent } from "../../../src/envoy/supervision/event.ts";
import { begun } from "./explore.ts";
import { launchNamed } from "./launches.ts";
import { happen, type World } from "./world.ts";

/** Let events happen one after the other, ten milliseconds apart. */
export function after(world: World, events: readonly SupervisionEvent[]): World {
  return events.reduce((current, event) => {
    const step = happen(current, { event, afterMs: 10 }).at(-1);
    return step?.after ?? current;
  }, world);
}

const proven: readonly SupervisionEvent[] = [
  { kind: "live", number: 1 },
  { kind: "proof", number: 1, result: { kind: "proven" } },
  { kind: "services-attached" },
];

/** Envoy 1 serves the launch `first`, and swaps may begin. */
export const serving: World = after(begun(), proven);

/** Somebody asks for the launch `second`. */
export function asked(world: World): World {
  return after(world, [
    {
      ...{ kind: "swap-requested", asker: world.asked + 1, launch: launchNamed("second") },
      ...{ trigger: "SIGHUP", isForced: false },
    },
  ]);
}

/** A newcomer with `second` is being proven. */
export function swapping(mode: "overlap" | "hot", world: World = serving): World {
  return after(asked(world), [{ kind: "checked", verdict: { kind: "go", mode } }]);
}

/** A hot restart child has taken over, and its parent serves what it has. */
export const handedOver: World = after(swapping("hot"), [
  { kind: "live", number: 2 },
  { kind: "proof", number: 2, result: { kind: "proven" } },
]);

export const starts: readonly (readonly [name: string, world: World, depth: number])[] = [
  ["while Envoy serves", serving, 4],
  ["in an overlap swap", swapping("overlap"), 4],
  ["in a hot restart", swapping("hot"), 4],
  ["after a hot restart", handedOver, 4],
  ["in a cold swap", after(asked(serving), [{ kind: "checked", verdict: { kind: "go", mode: "cold" } }]), 4],
  [
    "with an Envoy that has lost its admin interface",
    after(swapping("hot"), [
      { kind: "proof", number: 2, result: { kind: "never-live", reason: "not LIVE" } },
      { kind: "exited", number: 2, exit: { kind: "signaled", signal: "SIGKILL" }, isSignaled: true },
    ]),
    4,
  ],
  [
    "after a stop in a hot restart",
    after(swapping("hot"), [{ kind: "stop", reason: new Error("SIGTERM") }]),
    5,
  ],
];
