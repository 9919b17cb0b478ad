/**
 * Deadlines of calls that grpc-js' server cannot hold.
 *
 * It cuts a `grpc-timeout` to 32 bits and hands it to Node's timers: 25 days become a millisecond. The header is seen
 * here before it is; such a call has none.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IncomingHttpHeaders } from "node:http2";
import { longestNodeTimerMs } from "../lifecycle/timer.ts";
import { parseTimeout } from "./status-code.ts";

/** Published for each stream, before anybody is told of it. */
const streams = "http2.server.stream.created";

/** For every server of the process, until disposed. */
export function withoutOverlongDeadlines(): Disposable {
  const look = (message: unknown): void => {
    const { headers } = message as { readonly headers: IncomingHttpHeaders };
    const ms = parseTimeout(String(headers["grpc-timeout"] ?? ""));
    if (ms !== undefined && ms > longestNodeTimerMs) delete headers["grpc-timeout"];
  };
  subscribe(streams, look);
  return {
    [Symbol.dispose]: () => {
      unsubscribe(streams, look);
    },
  };
}
