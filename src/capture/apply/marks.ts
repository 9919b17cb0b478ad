/** Marks of TPROXY: of a plan, and of the rules of ours that the kernel holds. */
import type { CapturePlan } from "../plan/plan.ts";
import type { SavedTables } from "./saved.ts";
import { heldState } from "./table-state.ts";

/** Of rules that give a packet its mark, and of those that keep it for the connection. */
const patterns: readonly RegExp[] = [
  /--tproxy-mark (0x[\da-f]+|\d+)/,
  /-m mark --mark (0x[\da-f]+|\d+) -j CONNMARK --save-mark/,
  /\btproxy to \S+ meta mark set (0x[\da-f]+|\d+)/,
  /\bmeta mark (0x[\da-f]+|\d+) ct mark set\b/,
];

/**
 * Marks that rules of ours set or keep.
 *
 * @param held of iptables, of whichever back end
 * @param nft our tables as nft lists them
 */
export function heldMarks(held: readonly SavedTables[], nft: readonly string[]): readonly number[] {
  const rules = held.flatMap(({ mangle }) => {
    const { chains, guests } = heldState("mangle", mangle);
    return [...[...chains.values()].flat(), ...guests.map(({ specification }) => specification)];
  });
  const marks = [...rules, ...nft].flatMap((rule) =>
    patterns.flatMap((pattern) => pattern.exec(rule)?.[1] ?? []),
  );
  return [...new Set(marks.map(Number))];
}

/** Marks that the plan's rules set. */
export function plannedMarks(plan: CapturePlan): readonly number[] {
  const actions = plan.flatMap(({ rules }) => rules.map(({ action }) => action));
  return [...new Set(actions.flatMap((action) => (action.kind === "tproxy" ? action.mark : [])))];
}
