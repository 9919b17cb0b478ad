/**
 * What is known of each sidecar, look after look. Pure.
 */
import type { Looked } from "./look.ts";
import { ratesBetween, type Traffic } from "./rates.ts";
import type { Look } from "./traffic.ts";

/** One sidecar at one moment. */
export interface SidecarRow {
  readonly name: string;
  /** `measuring`: the first look at this Envoy, or the first since it was started anew. */
  readonly state: "measured" | "measuring" | "no answer";
  /** Why there is no answer. */
  readonly problem?: string;
  /** False where Envoy keeps no latencies; left out where it did not answer. */
  readonly keepsLatencies?: boolean;
  /** Left out unless it was measured. */
  readonly inbound?: Traffic;
  readonly outbound?: Traffic;
}

/** The newest look at each, and the rows that it made. */
export interface History {
  readonly looks: ReadonlyMap<string, Look>;
  readonly rows: readonly SidecarRow[];
}

/** Nobody has been looked at. */
export const noHistory: History = { looks: new Map(), rows: [] };

/** After one more look at all. Who has been there before and is not now has a row that says so. */
export function afterLook({ looks: before, rows }: History, seen: ReadonlyMap<string, Looked>): History {
  const looks = new Map<string, Look>();
  const newRows: SidecarRow[] = [];
  for (const [name, looked] of seen) {
    if (looked.kind === "no answer") {
      newRows.push({ name, state: "no answer", problem: looked.problem });
      continue;
    }
    const { look } = looked;
    looks.set(name, look);
    const last = before.get(name);
    const rates = last && ratesBetween(last, look);
    const keepsLatencies = look.inbound.latencies !== undefined || look.outbound.latencies !== undefined;
    newRows.push({ name, state: rates === undefined ? "measuring" : "measured", keepsLatencies, ...rates });
  }
  const gone = rows.filter(({ name }) => !seen.has(name));
  return {
    looks,
    rows: [
      ...newRows,
      ...gone.map(({ name }): SidecarRow => ({ name, state: "no answer", problem: "its agent has ended" })),
    ],
  };
}
