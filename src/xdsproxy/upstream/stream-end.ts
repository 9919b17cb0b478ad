/**
 * How a stream to the discovery server ended, and what that says to an operator and to Envoy.
 */
import { GrpcError } from "../../grpc/grpc-error.ts";
import { RootFileError, type ServerDescription } from "../../grpc/server-trust.ts";
import { explainFailure, type StreamFailure } from "./failure.ts";

/** Ends that the agent itself brings about. */
export type OwnCause =
  /** The control plane has come back while Envoy was served from the cache. */
  | "back"
  /** The root that authenticates the control plane was replaced. */
  | "root-changed"
  /** A request was not answered in time. */
  | "watchdog";

/** One end. */
export interface StreamEnd {
  /** A response had come, so there was a connection. */
  readonly hasAnswered: boolean;
  readonly sentToken: boolean;
  readonly error?: unknown;
  readonly cause?: OwnCause;
  /** The type that was not answered. */
  readonly overdue?: string;
}

/** Why no connection came about, or why one broke; undefined for an end in good order. */
export function failureOf(
  end: StreamEnd,
  server: ServerDescription,
  limitMs: number,
): StreamFailure | undefined {
  if (end.error instanceof RootFileError) return { kind: "root-missing", message: end.error.message };
  if (end.cause === "watchdog") return silence(server, `gave no answer within ${limitMs / 1_000} s`);
  if (end.error !== undefined) return explainFailure(GrpcError.from(end.error), server, end.sentToken);
  return end.hasAnswered ? undefined : silence(server, "ended the stream without an answer");
}

/** What Envoy is told; it subscribes anew whatever it hears. */
export function statusFor(end: StreamEnd, failure: StreamFailure | undefined): GrpcError | undefined {
  switch (end.cause) {
    case "back":
      return new GrpcError("UNAVAILABLE", "the discovery server is back: subscribe anew");
    case "root-changed":
      return new GrpcError("UNAVAILABLE", "the root of the discovery server has changed: subscribe anew");
    case "watchdog":
      return new GrpcError("UNAVAILABLE", failure?.message ?? "the discovery server does not answer");
    case undefined:
  }
  if (end.error === undefined) return undefined;
  const code = end.error instanceof RootFileError ? "UNAVAILABLE" : GrpcError.from(end.error).code;
  return new GrpcError(code, failure?.message ?? GrpcError.from(end.error).details);
}

function silence({ name, address }: ServerDescription, what: string): StreamFailure {
  return {
    kind: "silent",
    message: `${name} ${address} ${what}. Check that discoveryAddress in ProxyConfig is a discovery server`,
  };
}
