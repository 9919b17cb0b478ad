/**
 * How a newcomer takes over, decided from what is known of the running Envoy and the machine.
 *
 * In overlap a newcomer that fails cannot hurt the Envoy that serves, but when the old one closes its sockets, the
 * kernel resets the connections in their accept queues unless it is told to migrate them
 * (`net.ipv4.tcp_migrate_req`). Hot restart hands the sockets themselves on: it loses none, and can do what cannot be
 * bound twice. Cold is what is left.
 */
import type { ListenerFacts } from "../admin/listeners.ts";
import { fitsBeside, type MemoryRoom } from "./headroom.ts";

/** What a user asks for, `--swapMode`. */
export type SwapModeRequest = "auto" | "overlap" | "hot" | "cold";

/** How a swap is done. */
export type SwapMode = Exclude<SwapModeRequest, "auto">;

/** What the decision is made from. */
export interface SwapConditions {
  readonly requested: SwapModeRequest;
  /** Listeners of the running Envoy; undefined when it cannot be asked. */
  readonly listeners: readonly ListenerFacts[] | undefined;
  /** Why there can be no hot restart; undefined when there can. */
  readonly hotObstacle: string | undefined;
  /** Whether the kernel gives the connections of a closed socket to another one on the same port. */
  readonly migratesConnections: boolean;
  /** Undefined when unknown. */
  readonly memory: MemoryRoom | undefined;
}

/** The mode and why, or why a demanded mode is impossible. */
export type SwapDecision =
  | { readonly kind: "mode"; readonly mode: SwapMode; readonly why: string }
  | { readonly kind: "impossible"; readonly why: string };

/** Every swap mode, for the command line. */
export const swapModes: readonly SwapModeRequest[] = ["auto", "overlap", "hot", "cold"];

/** Decide. */
export function decideSwapMode(conditions: SwapConditions): SwapDecision {
  const { requested, hotObstacle } = conditions;
  const overlapObstacle = whyNoOverlap(conditions.listeners);
  const memoryObstacle = whyNoSecondEnvoy(conditions.memory);
  switch (requested) {
    case "cold":
      return { kind: "mode", mode: "cold", why: "as asked" };
    case "overlap":
      return decided("overlap", overlapObstacle);
    case "hot":
      return decided("hot", hotObstacle);
    case "auto":
      if (memoryObstacle !== undefined) return { kind: "mode", mode: "cold", why: memoryObstacle };
      return automatic(overlapObstacle, hotObstacle, conditions.migratesConnections);
  }
}

const queuesAreLost = "net.ipv4.tcp_migrate_req is off, so that overlap could reset connections";

function automatic(
  overlapObstacle: string | undefined,
  hotObstacle: string | undefined,
  migratesConnections: boolean,
): SwapDecision {
  if (overlapObstacle === undefined && (migratesConnections || hotObstacle !== undefined)) {
    const why = hotObstacle === undefined ? "" : `; ${hotObstacle}`;
    return { kind: "mode", mode: "overlap", why: `every listener can be bound twice${why}` };
  }
  if (hotObstacle === undefined) return { kind: "mode", mode: "hot", why: overlapObstacle ?? queuesAreLost };
  return { kind: "mode", mode: "cold", why: `${overlapObstacle ?? queuesAreLost}; ${hotObstacle}` };
}

function decided(mode: SwapMode, obstacle: string | undefined): SwapDecision {
  if (obstacle === undefined) return { kind: "mode", mode, why: "as asked" };
  return { kind: "impossible", why: `--swapMode=${mode} cannot be done: ${obstacle}` };
}

function whyNoOverlap(listeners: readonly ListenerFacts[] | undefined): string | undefined {
  if (listeners === undefined) return "the running Envoy's listeners are unknown";
  const obstacles = listeners.flatMap(({ name, exclusive }) =>
    exclusive === undefined ? [] : [`listener ${name} ${exclusive}`],
  );
  return obstacles.length === 0 ? undefined : obstacles.slice(0, 3).join(", ");
}

function whyNoSecondEnvoy(memory: SwapConditions["memory"]): string | undefined {
  if (memory === undefined || fitsBeside(memory)) return undefined;
  const mib = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
  return `memory holds no second Envoy: the running one uses ${mib(memory.envoyBytes)}, ${mib(memory.freeBytes)} are free`;
}
