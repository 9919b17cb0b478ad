/**
 * Where the connection to the discovery server stands.
 */

/** State of the newest stream. `problem` says why there is none, with what to do about it. */
export interface XdsState {
  readonly kind: "idle" | "connecting" | "connected" | "disconnected";
  readonly address: string;
  readonly problem?: string;
  /** Responses that Envoy accepted and refused, by type URL. */
  readonly types: Readonly<Record<string, TypeState>>;
}

/** Envoy's answers for one type. */
export interface TypeState {
  readonly acked: number;
  readonly nacked: number;
  /** Envoy's words for its last refusal. */
  readonly lastError?: string;
}

/** `types` with one more answer. */
export function withAnswer(
  types: XdsState["types"],
  typeUrl: string,
  error: string | undefined,
): XdsState["types"] {
  const { acked, nacked, lastError } = types[typeUrl] ?? { acked: 0, nacked: 0 };
  const refusal = error ?? lastError;
  return {
    ...types,
    [typeUrl]: {
      acked: acked + (error === undefined ? 1 : 0),
      nacked: nacked + (error === undefined ? 0 : 1),
      ...(refusal === undefined ? {} : { lastError: refusal }),
    },
  };
}
