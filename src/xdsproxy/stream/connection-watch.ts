/**
 * What ends a connection to the discovery server from this side: its silence, a new root, the end of Envoy's stream.
 */
import { onTicks, restingMs } from "../../lifecycle/tick.ts";
import { typeUrl } from "../../xds/type-urls.ts";
import type { ConnectionReport } from "../report/connection-report.ts";
import type { Delivery } from "../downstream/delivery.ts";
import type { HeldListeners } from "../downstream/held-listeners.ts";
import type { Refusals } from "../refusals/refusals.ts";
import type { OwnCause } from "../upstream/stream-end.ts";
import type { StreamObserver } from "../downstream/stream-observer.ts";

/** What is looked at. */
export interface WatchedConnection {
  readonly observer: StreamObserver;
  readonly report: ConnectionReport;
  readonly delivery: Delivery;
  readonly hold: HeldListeners | undefined;
  readonly refusals: Refusals;
  readonly isNewest: () => boolean;
  /** How long a request may go without an answer, in milliseconds. */
  readonly answerWithinMs: number;
  /** How long Envoy may take over a response before that is said, in milliseconds. */
  readonly slowAfterMs: number;
  /** Aborts when Envoy is gone or the proxy closes. */
  readonly ended: AbortSignal;
  /** Aborts when the root is replaced. */
  readonly rootChanged: AbortSignal;
}

/**
 * Watch until disposed.
 *
 * @param stop ends the connection; it is told why, and which type was not answered
 */
export function watchConnection(
  watched: WatchedConnection,
  stop: (cause?: OwnCause, overdue?: string) => void,
): Disposable & { readonly answered: () => void } {
  const { observer, report, delivery, hold, refusals, isNewest } = watched;
  const { answerWithinMs, slowAfterMs, ended, rootChanged } = watched;
  const since = performance.now();
  let isAnswered = false;
  const isResting = (): boolean => isAnswered && !delivery.isUnderWay;
  const everyMs = (): number => Math.min(answerWithinMs / 4, isResting() ? restingMs : 1_000);
  const ticks = onTicks(everyMs, () => {
    const now = performance.now();
    const stuck = delivery.stuck(now, slowAfterMs);
    // Listeners may be held back on purpose.
    if (stuck !== undefined && (hold === undefined || stuck !== typeUrl.listener))
      report.slowDelivery(stuck, slowAfterMs);
    if (isAnswered && isNewest()) refusals.served(now - since);
    if (delivery.isUnderWay) return;
    if (!isAnswered && now - since >= answerWithinMs) stop("watchdog");
    const type = isAnswered ? observer.overdue(answerWithinMs) : undefined;
    if (type !== undefined) stop("watchdog", type);
  });
  const onEnd = (): void => {
    stop();
  };
  const onRoot = (): void => {
    stop("root-changed");
  };
  ended.addEventListener("abort", onEnd, { once: true });
  rootChanged.addEventListener("abort", onRoot, { once: true });
  if (ended.aborted) onEnd();
  return {
    answered: () => {
      isAnswered = true;
    },
    [Symbol.dispose]: () => {
      ticks[Symbol.dispose]();
      ended.removeEventListener("abort", onEnd);
      rootChanged.removeEventListener("abort", onRoot);
    },
  };
}
