/**
 * Which part of the program a piece of work belongs to, by whatever callback it goes on.
 *
 * What an event's handler throws has no caller who could catch it, and Node.js ends the process. The part goes along
 * with timers, sockets and promises instead (AsyncLocalStorage), so that the process can say who failed, and where one
 * request is all that it was about, nobody but that request has to pay.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { errorMessage } from "./error-message.ts";

/** A part of the program. */
export interface Guard {
  /** As a sentence has it: `the admin port`. */
  readonly part: string;
  /**
   * Takes what nothing in the part has caught: ends the request that it was about and says so. Without it such an
   * error ends the process.
   */
  readonly contain?: (error: unknown) => void;
}

const current = new AsyncLocalStorage<Guard>();

/** Run `work`, and all that it sets off, as a piece of `guard`'s part. */
export function guarded<T>(guard: Guard, work: () => T): T {
  return current.run(guard, work);
}

/**
 * Run an event's handler, and all that it sets off, as a piece of `guard`'s part.
 *
 * What it throws itself has left the part by the time that it is found uncaught, so it is contained here.
 */
export function handled(guard: Required<Guard>, handle: () => void): void {
  guarded(guard, () => {
    try {
      handle();
    } catch (error) {
      guard.contain(error);
    }
  });
}

/** What is to be done about an error that nothing has caught. */
export type Escape =
  /** It was about one request, which is gone. */
  | { readonly kind: "contained" }
  /** The process must end: which part failed and why, and the frames of where it was thrown. */
  | {
      readonly kind: "fatal";
      readonly part: string;
      readonly reason: string;
      readonly frames: readonly string[];
    };

/** To be asked in the handler of `uncaughtException` and `unhandledRejection`, where the part is still known. */
export function escaped(error: unknown): Escape {
  const guard = current.getStore();
  const fatal = (reason: string): Escape => ({
    kind: "fatal",
    part: guard?.part ?? "the program",
    reason,
    frames: framesOf(error),
  });
  if (guard?.contain === undefined) return fatal(errorMessage(error));
  try {
    guard.contain(error);
    return { kind: "contained" };
  } catch (second) {
    return fatal(`${errorMessage(error)}; and then: ${errorMessage(second)}`);
  }
}

/** Where it was thrown, as V8 prints it. */
function framesOf(error: unknown): readonly string[] {
  if (!(error instanceof Error)) return [];
  return (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
}
