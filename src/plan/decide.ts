/**
 * What a start or a reload would do, decided from what is known of the running Envoy and of the wanted one.
 */
import type { SwapDecision, SwapMode } from "../envoy/swap/swap-mode.ts";
import type { Change } from "./changes.ts";

/** What decides. */
export interface PlanFacts {
  /** What sets the wanted Envoy apart from the running one; undefined when none runs. */
  readonly changes: readonly Change[] | undefined;
  /** What keeps the wanted Envoy from being started: Envoy's verdict, ports of others. */
  readonly obstacles: readonly string[];
  /** How it would take over; undefined when no Envoy runs. */
  readonly swap: SwapDecision | undefined;
}

/** What would happen. */
export type PlannedAction =
  | { readonly kind: "none" }
  | { readonly kind: "start" }
  | { readonly kind: "swap"; readonly mode: SwapMode; readonly why: string }
  /** The running Envoy, if there is one, would serve on as it is. */
  | { readonly kind: "refuse"; readonly reasons: readonly string[] };

/** An unchanged Envoy is left alone before anything else is looked at, as the supervisor does. */
export function decidePlan({ changes, obstacles, swap }: PlanFacts): PlannedAction {
  if (changes?.length === 0) return { kind: "none" };
  if (obstacles.length > 0) return { kind: "refuse", reasons: obstacles };
  if (swap === undefined) return { kind: "start" };
  if (swap.kind === "impossible") return { kind: "refuse", reasons: [swap.why] };
  return { kind: "swap", mode: swap.mode, why: swap.why };
}

/** What is known of both Envoys' hot restart. */
export interface HotRestartFacts {
  /** Why no Envoy of this machine can; undefined when one can. */
  readonly machineObstacle: string | undefined;
  readonly runningArguments: readonly string[];
  readonly wantedArguments: readonly string[];
  readonly isSameBinary: boolean;
  /** Hot restart versions; undefined when one does not tell. */
  readonly versions: { readonly running: string | undefined; readonly wanted: string | undefined };
}

/** Why the wanted Envoy cannot take over by hot restart; undefined when it can. */
export function whyNotHot(facts: HotRestartFacts): string | undefined {
  const { machineObstacle, runningArguments, wantedArguments, versions } = facts;
  if (runningArguments.includes("--disable-hot-restart")) {
    return machineObstacle ?? "the running Envoy was started without hot restart";
  }
  const concurrency = (args: readonly string[]): string | undefined => {
    const at = args.indexOf("--concurrency");
    return at < 0 ? undefined : args[at + 1];
  };
  if (concurrency(runningArguments) !== concurrency(wantedArguments)) {
    return "hot restart keeps the number of workers, which is to change";
  }
  if (facts.isSameBinary) return undefined;
  if (versions.running === undefined || versions.wanted === undefined) {
    return "the Envoys' hot restart versions are unknown";
  }
  if (versions.running === versions.wanted) return undefined;
  return `the Envoys' hot restart versions differ: ${versions.running} and ${versions.wanted}`;
}
