/**
 * Why there is no stream to the discovery server, in words that name the remedy.
 */
import type { GrpcError } from "../../grpc/grpc-error.ts";
import { explainConnectionFailure, type ServerDescription } from "../../grpc/server-trust.ts";

/** How a stream ended, for the metric's label and the log's level. */
export type Termination = "graceful" | "cancelled" | "error";

/** A failure and its remedy. */
export interface StreamFailure {
  readonly kind:
    "root-missing" | "untrusted" | "unresolved" | "unreachable" | "unauthenticated" | "silent" | "refused";
  readonly message: string;
}

/** Ends that happen in every rollout of a control plane are `cancelled`, as in Istio's metrics. */
export function terminationOf(error: GrpcError | undefined): Termination {
  if (error === undefined) return "graceful";
  if (error.code === "CANCELLED" || error.code === "DEADLINE_EXCEEDED") return "cancelled";
  if (error.transport !== undefined) return "cancelled";
  return error.code === "UNAVAILABLE" && serversOwnEnds.test(error.details) ? "cancelled" : "error";
}

/** A control plane that is itself a client of another one passes on the words of Go's gRPC for such an end. */
const serversOwnEnds =
  /client disconnected|error reading from server: EOF|transport is closing|NO_ERROR|GOAWAY/i;

/** One sentence on the cause and one on what to do. */
export function explainFailure(
  error: GrpcError,
  server: ServerDescription,
  sentToken: boolean,
): StreamFailure {
  const { name, address } = server;
  if (error.code === "UNAVAILABLE" || error.code === "DEADLINE_EXCEEDED") {
    return explainConnectionFailure(error, server);
  }
  if (error.code === "UNAUTHENTICATED") {
    return {
      kind: "unauthenticated",
      message: sentToken
        ? `${name} ${address} does not accept the token: ${error.details}. Check its audience, issuer and expiry`
        : `${name} ${address} asks for a token, and there is none that could be sent: ${error.details}. ` +
          "Mount a fresh service account token with audience istio-ca",
    };
  }
  const remedy =
    error.code === "PERMISSION_DENIED"
      ? "Check POD_NAMESPACE and SERVICE_ACCOUNT against the token"
      : "Look at its log";
  return {
    kind: "refused",
    message: `${name} ${address} ended the stream: ${error.code}: ${error.details}. ${remedy}`,
  };
}
