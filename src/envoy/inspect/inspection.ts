/**
 * One inspection of an Envoy that is to be started: from what is known of it, of the Envoy that runs and of the
 * machine to what stands in its way, and how it would take over.
 *
 * The swap acts on it, `outrider plan` shows it: what one says, the other does.
 */
import type { PortOwner } from "../../net/port-owner.ts";
import type { ListenerFacts } from "../admin/listeners.ts";
import type { PreparedLaunch } from "../generation/launch.ts";
import type { MemoryRoom } from "./headroom.ts";
import { type HotRestartFacts, whyNotHot } from "./hot-restart.ts";
import { foreignOwners, type KnownPort, neededPorts, type PortFriends } from "./ports.ts";
import { decideSwapMode, type SwapDecision, type SwapModeRequest } from "./swap-mode.ts";
import { type Validation, whyInvalid } from "./validation.ts";

/** What is known of the Envoy that is to be replaced. */
export interface RunningFacts {
  /** Undefined when it cannot be asked. */
  readonly listeners: readonly ListenerFacts[] | undefined;
  readonly hotRestart: HotRestartFacts;
  /** Undefined when it is not known. */
  readonly memory: MemoryRoom | undefined;
}

/** All that decides. */
export interface InspectionFacts {
  readonly launch: Pick<PreparedLaunch, "binary" | "bootstrap" | "staticPorts">;
  readonly validation: Validation;
  readonly requested: SwapModeRequest;
  /** Undefined where no Envoy serves. */
  readonly running: RunningFacts | undefined;
  readonly knownPorts: readonly KnownPort[];
  /** Owners of the ports that it needs. */
  readonly owners: readonly PortOwner[];
  readonly friends: Omit<PortFriends, "listeners">;
  /** Whether the kernel gives the connections of a closed socket to another one on the same port. */
  readonly migratesConnections: boolean;
}

/** One thing that stands in its way, and where it shows. */
export interface Refusal {
  readonly stage: "validate" | "ports" | "mode";
  readonly reason: string;
}

/** The verdict. */
export interface Inspection {
  /** Empty when it can be started. */
  readonly refusals: readonly Refusal[];
  readonly swap: SwapDecision;
}

/** Where nobody serves there is nothing to take over. */
const nobodyServes: SwapDecision = {
  kind: "mode",
  mode: "cold",
  why: "no Envoy serves that it could take over from",
};

/** The verdict on `facts`. */
export function judgeLaunch(facts: InspectionFacts): Inspection {
  const { launch, running } = facts;
  const invalid = whyInvalid(launch, facts.validation);
  const strangers = foreignOwners(portsNeededBy(facts), facts.owners, {
    ...facts.friends,
    listeners: running?.listeners,
  });
  const swap = running === undefined ? nobodyServes : howToTakeOver(facts, running);
  return {
    refusals: [
      ...(invalid === undefined ? [] : [{ stage: "validate", reason: invalid } as const]),
      ...(strangers.length === 0 ? [] : [{ stage: "ports", reason: strangers.join("; ") } as const]),
      ...(swap.kind === "impossible" ? [{ stage: "mode", reason: swap.why } as const] : []),
    ],
    swap,
  };
}

/** What each port that it needs is for. */
export function portsNeededBy({
  launch,
  running,
  knownPorts,
}: Pick<InspectionFacts, "launch" | "running" | "knownPorts">): ReadonlyMap<number, string> {
  return neededPorts(running?.listeners, launch.staticPorts, knownPorts);
}

function howToTakeOver(
  { requested, migratesConnections }: InspectionFacts,
  { listeners, hotRestart, memory }: RunningFacts,
): SwapDecision {
  const hotObstacle = whyNotHot(hotRestart);
  return decideSwapMode({ requested, listeners, hotObstacle, migratesConnections, memory });
}
