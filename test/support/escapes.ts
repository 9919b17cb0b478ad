/** Errors that nothing in a part has caught. */
import { escaped } from "../../src/lifecycle/guard.ts";

/** What nothing catches goes where `main` would send it. */
export function catchEscapes(): Disposable & { readonly kinds: readonly string[] } {
  const kinds: string[] = [];
  const note = (error: unknown): void => {
    kinds.push(escaped(error).kind);
  };
  const events = ["uncaughtException", "unhandledRejection"] as const;
  const before = events.map((event) => process.listeners(event as "uncaughtException"));
  for (const event of events) process.removeAllListeners(event).on(event, note);
  return {
    kinds,
    [Symbol.dispose]: () => {
      events.forEach((event, index) => {
        process.removeAllListeners(event);
        for (const listener of before[index] ?? []) process.on(event as "uncaughtException", listener);
      });
    },
  };
}
