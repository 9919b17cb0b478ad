/**
 * How long this process keeps others waiting: what one turn of its event loop takes, at its longest.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Metrics } from "./metrics.ts";

/** Between two looks of libuv's timer, in milliseconds. */
const resolutionMs = 10;

/** The longest since the last scrape, under prom-client's name; until disposed. */
export function measureEventLoop(metrics: Metrics): Disposable {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  metrics
    .withPrefix("nodejs_")
    .computed(
      "eventloop_lag_max_seconds",
      "Longest that the event loop was late since the last scrape.",
      {},
      () => {
        // What is recorded is the time between two looks.
        const lateMs = Math.max(0, delay.max / 1e6 - resolutionMs);
        delay.reset();
        return lateMs / 1_000;
      },
    );
  return {
    [Symbol.dispose]: () => {
      delay.disable();
    },
  };
}
