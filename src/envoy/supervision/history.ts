/**
 * The last generations, each with what it did when: what a reader needs to see how one Envoy followed another.
 */
import type { ExitDiagnosis } from "../exits/exit-diagnosis.ts";
import type { Phase, SupervisionState } from "./state.ts";

/** One generation, dead or alive. */
export interface GenerationPast {
  readonly generation: number;
  readonly pid: number | undefined;
  readonly startedAt: Date;
  /** In their order; the last one lasts until its end. */
  readonly phases: readonly { readonly kind: Phase["kind"]; readonly at: Date }[];
  /** Undefined while it lives, and as long as its end is being explained. */
  readonly end: { readonly at: Date; readonly reason: string; readonly message: string } | undefined;
}

/** Generations that are kept. */
const maxGenerations = 12;
/** Phases that are kept of each; no Envoy has more but by a fault. */
const maxPhases = 16;

/** Oldest first. */
export type History = readonly GenerationPast[];

/** With what has changed about those that live. The same value where nothing has. */
export function withState(history: History, { envoys }: Pick<SupervisionState, "envoys">, at: Date): History {
  let changed = history;
  for (const { number, pid, phase } of envoys) {
    const index = changed.findIndex(({ generation }) => generation === number);
    const known = changed[index];
    if (known === undefined) {
      const begun = {
        generation: number,
        pid,
        startedAt: at,
        phases: [{ kind: phase.kind, at }],
        end: undefined,
      };
      changed = [...changed, begun].slice(-maxGenerations);
      continue;
    }
    const isNewPhase = known.phases.at(-1)?.kind !== phase.kind;
    if (!isNewPhase && known.pid === pid) continue;
    const phases = isNewPhase ? [...known.phases, { kind: phase.kind, at }].slice(-maxPhases) : known.phases;
    changed = changed.with(index, { ...known, pid: pid ?? known.pid, phases });
  }
  return changed;
}

/** With the end of one of them. */
export function withEnd(
  history: History,
  generation: number,
  { reason, message }: ExitDiagnosis,
  at: Date,
): History {
  return history.map((past) =>
    past.generation === generation ? { ...past, end: { at, reason, message } } : past,
  );
}
