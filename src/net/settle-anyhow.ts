/**
 * What Node tells nobody of a request: that the other side has answered `101 Switching Protocols`, after which neither an
 * answer nor an error comes, nor anything of the signal's abort.
 */
import type { ClientRequest } from "node:http";

/** Have `fail` called for such an answer and for the signal's abort, whatever Node makes of them. */
export function settleAnyhow(
  request: ClientRequest,
  signal: AbortSignal | undefined,
  fail: (reason: unknown) => void,
): void {
  request.once("upgrade", (_answer, socket) => {
    socket.destroy();
    fail(new Error("it answered 101"));
  });
  if (signal === undefined) return;
  const abort = (): void => {
    fail(signal.reason);
  };
  signal.addEventListener("abort", abort, { once: true });
  request.once("close", () => {
    signal.removeEventListener("abort", abort);
  });
}
