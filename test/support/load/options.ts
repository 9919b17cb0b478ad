/** What the load generator sends, and what it says about it. */

/** How a client treats its connections. */
export type ClientKind = "http1-keep-alive" | "http1-new" | "http2-keep-alive" | "http2-new";

/** Clients of one kind. */
export interface ClientGroup {
  readonly kind: ClientKind;
  /** Requests that may be under way at once. */
  readonly clients: number;
  /** Requests per second of the whole group. */
  readonly perSecond: number;
}

/** Whom the requests go to. */
export interface LoadTarget {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly authority: string;
}

/** What one process of the generator is told. */
export interface WorkerOptions {
  readonly target: LoadTarget;
  readonly groups: readonly ClientGroup[];
  /** Longest exchange, connection included, in milliseconds. */
  readonly timeoutMs: number;
}

/** How far a failed request had come. */
export type FailurePhase =
  /** No connection: refused, reset or silent while it was made. */
  | "connect"
  /** The connection ended, or the stream was reset, before the first byte of the answer. */
  | "before-response"
  /**
   * The same on an HTTP/1.1 connection that had carried a request before: the server may have closed it, idle,
   * while the request was on its way, which no server can rule out and for which clients send idempotent requests
   * again (RFC 9112, 9.3.1). Counted apart, never sent again here.
   */
  | "keep-alive-race"
  /** It ended within the answer. */
  | "mid-response"
  /** An answer of 500 or more, or none that HTTP knows. */
  | "status"
  /** No whole answer in time. */
  | "timeout";

export interface LoadFailure {
  /** When it was known, in milliseconds since 1970. */
  readonly at: number;
  readonly kind: ClientKind;
  readonly phase: FailurePhase;
  readonly detail: string;
}

/** Numbers since the start of a process. */
export interface LoadCounts {
  readonly ok: Readonly<Record<ClientKind, number>>;
  /** HTTP/2 requests that a GOAWAY proved unprocessed, and that were sent again as RFC 9113 8.7 has it. */
  readonly resent: number;
  readonly slowestMs: number;
  /** Longest time between two good answers. */
  readonly longestSilenceMs: number;
}

/** A line of a worker's output. */
export type WorkerMessage = { readonly counts: LoadCounts } | { readonly failure: LoadFailure };

/** How one request ended. */
export type RequestOutcome =
  | { readonly kind: "ok" }
  | { readonly kind: "failed"; readonly phase: FailurePhase; readonly detail: string };

/** One request after the other. */
export interface LoadClient {
  request(): Promise<RequestOutcome>;
  close(): void;
}

export const ok: RequestOutcome = { kind: "ok" };

export function failed(phase: FailurePhase, detail: string): RequestOutcome {
  return { kind: "failed", phase, detail };
}
