import { setImmediate as nextTurn } from "node:timers/promises";

/** More than work on a few objects stops for, on a machine so busy that it does at each of its steps. */
const turns = 200;

/** Let the event loop turn until work in turns is done. */
export async function manyTurns(): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await nextTurn();
}
