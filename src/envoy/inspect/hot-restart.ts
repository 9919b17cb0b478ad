/**
 * Whether one Envoy can take over from another by hot restart (Envoy's hot restart documentation).
 */

/** What is known of two Envoys. */
export interface HotRestartFacts {
  /** Why nobody at all can take over from the running one; undefined when somebody can. */
  readonly obstacle: string | undefined;
  /** Worker threads; undefined leaves their number to Envoy. */
  readonly workers: { readonly running: number | undefined; readonly wanted: number | undefined };
  readonly isSameBinary: boolean;
  /** Hot restart versions; asked for only where they decide. */
  readonly versions: HotRestartVersions | undefined;
}

/** Two Envoys can hand over to each other when these are equal. */
export type HotRestartVersions =
  | { readonly kind: "known"; readonly running: string; readonly wanted: string }
  | { readonly kind: "unknown"; readonly reason: string };

/** Why it cannot take over; undefined when it can. */
export function whyNotHot(facts: HotRestartFacts): string | undefined {
  const { obstacle, workers, versions } = facts;
  if (obstacle !== undefined) return obstacle;
  if (workers.running !== workers.wanted) {
    return "hot restart keeps the number of workers, which is to change";
  }
  if (facts.isSameBinary) return undefined;
  if (versions?.kind !== "known") {
    return `the Envoys' hot restart versions are unknown${versions === undefined ? "" : `: ${versions.reason}`}`;
  }
  if (versions.running === versions.wanted) return undefined;
  return `the Envoys' hot restart versions differ: ${versions.running} and ${versions.wanted}`;
}

/** Whether the versions decide: to ask for them costs a process. */
export function dependsOnVersions(facts: Omit<HotRestartFacts, "versions">): boolean {
  return (
    !facts.isSameBinary && whyNotHot({ ...facts, isSameBinary: true, versions: undefined }) === undefined
  );
}

/** Why nobody can take over from an Envoy that was started without hot restart. */
export function whyNotHotCapable(machineObstacle: string | undefined): string {
  return machineObstacle ?? "the running Envoy was started without hot restart";
}
