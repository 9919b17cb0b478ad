/** The failure modes of Envoy's hot restart under outrider: each with what it may cost. */
import { twoSidecars } from "./neighbours.ts";
import { newcomerDies, newcomerStalls, stopDuringSwap } from "./newcomers.ts";
import {
  changesInARow,
  everybodyDies,
  parentDies,
  parentDiesAlone,
  sharedMemoryVanishes,
} from "./parents.ts";
import { secretNeverComes, secretIsMissing } from "./secrets.ts";
import { clientsOfLoad, type FailureFigures } from "./subject.ts";

export interface FailureMode {
  readonly name: string;
  readonly run: () => Promise<FailureFigures>;
  /** Most requests that may fail, on a machine of its own. */
  readonly mayFail: number;
  /** There is a time in which nobody serves: how many fail depends on how long the next one takes to start. */
  readonly hasSilence?: true;
  readonly withoutAdminMs: number;
  readonly healMs: number;
}

export const failureModes: readonly FailureMode[] = [
  {
    name: "F1: the newcomer dies while it starts",
    run: newcomerDies,
    mayFail: 0,
    withoutAdminMs: 5_000,
    healMs: 5_000,
  },
  {
    name: "F2: the newcomer stalls",
    run: newcomerStalls,
    mayFail: 0,
    // Two seconds are the limit that the test gives it.
    withoutAdminMs: 2_000 + 5_000,
    healMs: 5_000,
  },
  {
    name: "F3: a stop while the newcomer stalls",
    run: stopDuringSwap,
    mayFail: 0,
    withoutAdminMs: 10_000,
    healMs: 0,
  },
  {
    name: "F4: the old Envoy is killed while it drains",
    run: parentDies,
    // What was on its way in the killed Envoy, and no more.
    mayFail: clientsOfLoad,
    withoutAdminMs: 5_000,
    healMs: 5_000,
  },
  {
    name: "F4: the same, where no other Envoy fits beside its successor",
    run: parentDiesAlone,
    // Nobody serves for at most a second, between the end of the drained successor and the start of the next.
    mayFail: 300 + clientsOfLoad,
    hasSilence: true,
    withoutAdminMs: 5_000,
    healMs: 5_000,
  },
  {
    name: "F5: the certificate never came to this agent",
    run: secretIsMissing,
    mayFail: 0,
    withoutAdminMs: 1_000,
    healMs: 0,
  },
  {
    name: "F5: the certificate does not come to the newcomer",
    run: secretNeverComes,
    mayFail: 0,
    withoutAdminMs: 5_000,
    healMs: 5_000,
  },
  {
    name: "F6: the shared memory is gone",
    run: sharedMemoryVanishes,
    mayFail: 0,
    withoutAdminMs: 5_000,
    healMs: 5_000,
  },
  {
    name: "F6: every Envoy is killed",
    run: everybodyDies,
    // Nobody serves for at most a second, and what was on its way is gone.
    mayFail: 300 + clientsOfLoad,
    hasSilence: true,
    withoutAdminMs: 5_000,
    healMs: 2_000,
  },
  {
    name: "F7: changes in a row",
    run: changesInARow,
    mayFail: 0,
    withoutAdminMs: 1_500,
    healMs: 10_000,
  },
  {
    name: "F8: two sidecars in one network namespace",
    run: twoSidecars,
    mayFail: 0,
    withoutAdminMs: 1_500,
    healMs: 10_000,
  },
];
