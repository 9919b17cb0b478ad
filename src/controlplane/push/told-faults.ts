/**
 * What could not be translated, told once however many proxies it concerns, and counted each time.
 */
import type { CounterMetric } from "../../telemetry/metrics.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { Fault } from "../networking/encode-parts.ts";

/** Faults that are remembered; what comes on top of so many may be told again. */
const remembered = 1_000;

/** Tells the faults of all proxies' snapshots. */
export class ToldFaults {
  readonly #log: Logger;
  readonly #count: CounterMetric;
  readonly #told = new Set<string>();

  constructor(log: Logger, count: CounterMetric) {
    this.#log = log;
    this.#count = count;
  }

  /** Those of one proxy's newest snapshot. */
  tell(proxy: string, faults: readonly Fault[]): void {
    for (const { part, reason } of faults) {
      this.#count.inc({});
      const key = JSON.stringify([part, reason]);
      if (this.#told.has(key)) continue;
      if (this.#told.size >= remembered) this.#told.clear();
      this.#told.add(key);
      this.#log.error("a part of the configuration cannot be sent, the proxy goes without it", {
        part,
        reason,
        proxy,
      });
    }
  }
}
