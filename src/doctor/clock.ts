/**
 * This machine's clock, against times that others have set.
 *
 * What was signed or issued has happened: a clock that is before it is behind by at least the difference. The
 * kubelet writes a token right after the API server issued it, by the clock that this container has too, so the
 * file's time against the token's compares both clocks even hours later. A server's `date` bounds the difference
 * from both sides, as exactly as its whole seconds and the time of the exchange allow.
 */
import { formatDuration } from "../lifecycle/format-duration.ts";
import { failure, type Finding, ok, warning } from "./finding.ts";

/** A comparison of this clock with another one; negative is behind. Undefined bounds are unknown. */
export interface ClockEvidence {
  /** What was compared, for people. */
  readonly source: string;
  /** This clock is ahead by at least this much, in milliseconds. */
  readonly leastMs: number | undefined;
  /** This clock is ahead by at most this much. */
  readonly mostMs: number | undefined;
}

const name = "clock";

/** Differences that no check of a certificate or token notices. */
const toleratedMs = 5_000;

/** Istio's CA dates certificates back by two minutes; a clock that is further behind refuses them. */
const graveMs = 120_000;

/** The gravest evidence of either side. */
export function judgeClock(evidence: readonly ClockEvidence[]): Finding {
  const grave = evidence
    .map((one) => ({ ...one, aheadMs: certainDifference(one) }))
    .toSorted((a, b) => Math.abs(b.aheadMs) - Math.abs(a.aheadMs))[0];
  if (grave === undefined) return ok(name, "nothing to compare it with");
  if (Math.abs(grave.aheadMs) <= toleratedMs) {
    const exact = evidence.find(({ leastMs, mostMs }) => leastMs !== undefined && mostMs !== undefined);
    if (exact?.leastMs !== undefined && exact.mostMs !== undefined) {
      const [least, most] = [exact.leastMs, exact.mostMs].map((ms) => `${(ms / 1_000).toFixed(1)} s`);
      return ok(name, `ahead by ${least} to ${most}, by ${exact.source}`);
    }
    return ok(name, `not behind ${evidence.map(({ source }) => source).join(", ")}`);
  }
  const side = grave.aheadMs < 0 ? "behind" : "ahead";
  const verdict = Math.abs(grave.aheadMs) >= graveMs ? failure : warning;
  return verdict(
    name,
    `${side} by at least ${formatDuration(Math.abs(grave.aheadMs))}, by ${grave.source}`,
    "set the node's clock (NTP): certificates and tokens count as not yet valid, or as expired, until then",
  );
}

/** The smallest difference that the bounds allow; 0 when they allow none. */
function certainDifference({ leastMs, mostMs }: ClockEvidence): number {
  if (mostMs !== undefined && mostMs < 0) return mostMs;
  if (leastMs !== undefined && leastMs > 0) return leastMs;
  return 0;
}

/** Something that happened at `at` by another's clock has happened. */
export function happened(source: string, at: Date, now: Date): ClockEvidence {
  return { source, leastMs: undefined, mostMs: now.getTime() - at.getTime() };
}

/** A server said `date` between two moments of this clock. Its seconds are cut off, not rounded. */
export function answeredAt(source: string, date: Date, askedAt: Date, answered: Date): ClockEvidence {
  return {
    source,
    leastMs: askedAt.getTime() - (date.getTime() + 1_000),
    mostMs: answered.getTime() - date.getTime(),
  };
}
