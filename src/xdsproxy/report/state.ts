/**
 * Where the connection to the discovery server stands, and what Envoy said to its configuration.
 */
import type { StreamFailure } from "../upstream/failure.ts";
import type { Refusal } from "./refusal.ts";

/**
 * State of the newest stream: `idle` while Envoy has none; `disconnected` also while a failed connection is tried
 * again, with the problem that still stands; `stale` while Envoy is served from the cache.
 */
export interface XdsState {
  readonly kind: "idle" | "connecting" | "connected" | "disconnected" | "stale";
  /** `host:port` of the discovery server. */
  readonly address: string;
  /** Since when `kind` holds, on the monotonic clock, in milliseconds. */
  readonly sinceMs: number;
  /** Why there is no connection, with what to do about it. */
  readonly problem?: string;
  /** Of which kind that problem is. */
  readonly failure?: StreamFailure["kind"];
  /** While `stale`: when the control plane last stood behind the configuration that Envoy is served. */
  readonly asOf?: Date;
  /** By type URL, since the agent started. */
  readonly types: Readonly<Record<string, TypeState>>;
  /** What Envoy refuses now. */
  readonly refused: readonly Refusal[];
}

/** What passed of one type. */
export interface TypeState {
  /** Responses forwarded to Envoy. */
  readonly received: number;
  /** Responses that Envoy accepted. */
  readonly acked: number;
  /** Responses that Envoy refused. */
  readonly nacked: number;
  /** Envoy's words for its last refusal, until it accepts a response again. */
  readonly lastError?: string;
}

/** Something that happened to a type. */
export type TypeEvent =
  | { readonly kind: "received" }
  | { readonly kind: "acked"; readonly latencyMs: number }
  | { readonly kind: "nacked"; readonly error: string };

const nothing: TypeState = { received: 0, acked: 0, nacked: 0 };

/** What has passed of a type after `event`. */
export function typeStateAfter(before: TypeState = nothing, event: TypeEvent): TypeState {
  const { received, acked, nacked } = before;
  switch (event.kind) {
    case "received":
      return { ...before, received: received + 1 };
    case "acked":
      return { received, acked: acked + 1, nacked };
    case "nacked":
      return { received, acked, nacked: nacked + 1, lastError: event.error };
  }
}
