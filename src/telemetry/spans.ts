/**
 * Pieces of work that have ended, for whoever traces them: what a part knows of one, without knowing who listens.
 */

/** One piece of work. Times are on the monotonic clock, in milliseconds. */
export interface EndedSpan {
  /** One of a few. */
  readonly name: string;
  /** `client` for a call of another process; work of the agent itself unless told. */
  readonly kind?: "client";
  readonly startedAt: number;
  /** Now unless told. */
  readonly endedAt?: number;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** Why it failed; undefined when it did not. */
  readonly error?: string | undefined;
}

/** Takes spans; never throws, and takes no time. */
export type SpanSink = (span: EndedSpan) => void;
