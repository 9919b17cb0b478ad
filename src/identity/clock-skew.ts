/**
 * This machine's clock against the CA's, by what the CA's answers prove.
 */

/** A proven difference. */
export interface ClockSkew {
  /** This clock is ahead by at least so much, in milliseconds; negative is behind. */
  readonly aheadMs: number;
  /** What proves it, for people. */
  readonly source: string;
}

/** A difference and when it was proven. A clock that is slewed since is right without any sign of it. */
export interface DatedSkew extends ClockSkew {
  /** On the monotonic clock, in milliseconds. */
  readonly provenAtMs: number;
}

/** Smaller differences are noise: no check of a certificate or token notices them. */
const toleratedMs = 5_000;

/** An answer's `date` lies between asking and receiving. Its seconds are cut off, not rounded. */
export function skewFromDate(date: Date, askedAt: Date, answeredAt: Date): ClockSkew | undefined {
  const least = askedAt.getTime() - (date.getTime() + 1_000);
  const most = answeredAt.getTime() - date.getTime();
  const aheadMs = least > toleratedMs ? least : most < -toleratedMs ? most : 0;
  return aheadMs === 0 ? undefined : { aheadMs, source: "the date of its answer" };
}

/** A certificate that was signed just now is valid from the signing on, or from a little earlier. */
export function skewFromCertificate(
  valid: { readonly notBefore: Date; readonly notAfter: Date },
  now: Date,
): ClockSkew | undefined {
  const behindMs = valid.notBefore.getTime() - now.getTime();
  if (behindMs > toleratedMs) return { aheadMs: -behindMs, source: "its certificate, valid from then on" };
  const aheadMs = now.getTime() - valid.notAfter.getTime();
  if (aheadMs > toleratedMs) return { aheadMs, source: "its new certificate, expired already" };
  return undefined;
}

/**
 * What is left of a proof after this clock was set. A difference that it makes greater is not proven to be: a machine
 * that was suspended looks the same.
 *
 * @param byMs how far it was set ahead, in milliseconds; negative is back
 */
export function skewAfterSet<T extends ClockSkew>(skew: T | undefined, byMs: number): T | undefined {
  if (skew === undefined || Math.sign(byMs) !== -Math.sign(skew.aheadMs)) return skew;
  const aheadMs = skew.aheadMs + byMs;
  const isProven = Math.sign(aheadMs) === Math.sign(skew.aheadMs) && Math.abs(aheadMs) > toleratedMs;
  return isProven ? { ...skew, aheadMs } : undefined;
}

/** The difference as the cause of a failure. */
export function describeSkew({ aheadMs, source }: ClockSkew): string {
  const side = aheadMs > 0 ? "ahead of" : "behind";
  return (
    `this machine's clock is at least ${Math.round(Math.abs(aheadMs) / 1_000)} s ${side} the CA's, ` +
    `by ${source}: set the node's clock (NTP)`
  );
}
