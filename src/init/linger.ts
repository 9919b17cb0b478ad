/**
 * The last moments of the process: its work is done, and whatever is left keeps it for a moment only.
 */
import { Timer } from "../lifecycle/timer.ts";

/** How long what is left may keep the process, in milliseconds: a reader of its output gets more time. */
const lingerMs = { usual: 1_000, withOutput: 10_000 } as const;

/** Call `leave` if the process has not ended by itself by then: somebody's helper may hold a pipe, for one. */
export function linger(outputs: readonly { readonly writableLength: number }[], leave: () => void): void {
  const isWriting = outputs.some(({ writableLength }) => writableLength > 0);
  void new Timer(isWriting ? lingerMs.withOutput : lingerMs.usual, leave, { isBackground: true });
}
