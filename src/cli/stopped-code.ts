/**
 * The exit code of a command that a signal has ended.
 */
import { exitCodeOf } from "../envoy/exits/exit.ts";
import { SignalReceived } from "../init/signals.ts";

/** Exit code of a failed command, as pilot-agent has it. */
export const failedCode = 255;

/** 128 + signal for a command that a signal stopped. */
export function stoppedCode(stop: AbortSignal): number {
  const reason: unknown = stop.reason;
  return reason instanceof SignalReceived
    ? exitCodeOf({ kind: "signaled", signal: reason.signal })
    : failedCode;
}
