/**
 * Why there is no stream to the discovery server, in words that name the remedy.
 */
import { GrpcError } from "../grpc/grpc-error.ts";
import type { UpstreamOptions } from "./options.ts";

/** How a stream ended, for the metric's label and the log's level. */
export type Termination = "cancelled" | "error";

/** Ends that happen in every rollout of a control plane. */
export function terminationOf(error: GrpcError | undefined): Termination {
  if (error === undefined) return "cancelled";
  if (error.code === "CANCELLED" || error.code === "DEADLINE_EXCEEDED") return "cancelled";
  const isOrderly = /NO_ERROR|client disconnected|transport is closing|Connection dropped|GOAWAY/i.test(
    error.details,
  );
  return error.code === "UNAVAILABLE" && isOrderly ? "cancelled" : "error";
}

/** The file with the discovery server's root cannot be read, so no connection was tried. */
export class RootUnreadableError extends GrpcError {
  constructor(path: string, reason: string) {
    const message =
      `the discovery server's root ${path} cannot be read: ${reason}. ` +
      "Mount the ConfigMap istio-ca-root-cert there, or name another file in XDS_ROOT_CA";
    super("UNAVAILABLE", message);
    this.message = message;
  }
}

/** One sentence on the cause and one on what to do. */
export function explainFailure(error: GrpcError, upstream: UpstreamOptions): string {
  const { address, tls } = upstream;
  const words = error.details;
  if (error instanceof RootUnreadableError) return error.message;
  switch (error.code) {
    case "UNAUTHENTICATED":
      return `the discovery server ${address} does not accept the token: ${words}. Check the token's audience, issuer and expiry`;
    case "PERMISSION_DENIED":
      return `the discovery server ${address} refused this proxy: ${words}. Check POD_NAMESPACE and SERVICE_ACCOUNT against the token`;
    case "UNAVAILABLE":
      return /certificate|altnames|self.signed|CERT_|verify/i.test(words)
        ? `the discovery server ${address} is not trusted by ${tls?.rootCertificatePath ?? "any root"}: ${words}. ` +
            "Mount the root of this control plane there, or name it in XDS_ROOT_CA"
        : `the discovery server ${address} cannot be reached: ${words}. ` +
            "Check discoveryAddress in ProxyConfig, and that the control plane runs";
    default:
      return `the discovery server ${address} ended the stream: ${error.code}: ${words}`;
  }
}
