/**
 * Why an Envoy ended, in words and as an exit code.
 */
import { constants } from "node:os";
import type { ChildExit } from "../../process/child.ts";

/** "ended by SIGKILL": what is known without any evidence; `diagnoseExit` knows more. */
export function describeExit(exit: ChildExit): string {
  switch (exit.kind) {
    case "exited":
      return `exited with code ${exit.code}`;
    case "signaled":
      return `ended by ${exit.signal}`;
    case "not-started":
      return `could not be started: ${exit.message}`;
  }
}

/** Envoy's own code, 128 + signal, or 127 when it did not start, as a shell reports them. */
export function exitCodeOf(exit: ChildExit): number {
  switch (exit.kind) {
    case "exited":
      return exit.code;
    case "signaled":
      return 128 + (Object.entries(constants.signals).find(([name]) => name === exit.signal)?.[1] ?? 0);
    case "not-started":
      return 127;
  }
}

/** The signal that ended it; a shell that ran Envoy reports it as 128 + signal. */
export function signalOf(exit: ChildExit): string | undefined {
  if (exit.kind === "signaled") return exit.signal;
  if (exit.kind !== "exited" || exit.code <= 128) return undefined;
  return Object.entries(constants.signals).find(([, number]) => number === exit.code - 128)?.[0];
}
