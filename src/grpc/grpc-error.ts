/**
 * The one error of gRPC calls, with a closed set of codes.
 */
import { type GrpcCode, statusCodes, statusName } from "./status-code.ts";

/** How a connection or a stream ended without a status, as far as HTTP/2 tells. */
export type TransportEnd =
  /** The connection is gone, without a word. */
  | "connection-lost"
  /** The server has no more use for the connection: GOAWAY with NO_ERROR. */
  | "going-away"
  /** The server has no more use for the stream: RST_STREAM with NO_ERROR. */
  | "stream-closed";

/** What is known of a failure beside its words. */
export interface GrpcErrorContext {
  readonly cause?: unknown;
  /** Undefined for a status of the server's, and for every other end. */
  readonly transport?: TransportEnd | undefined;
  /** What the server says beside its words: a google.rpc.Status (`grpc-status-details-bin`). */
  readonly statusDetails?: Uint8Array | undefined;
}

/** A call that failed, and where it went. */
export class GrpcError extends Error {
  override readonly name = "GrpcError";
  readonly code: GrpcCode;
  /** The server's or the library's own words. */
  readonly details: string;
  readonly transport: TransportEnd | undefined;
  readonly statusDetails: Uint8Array | undefined;

  constructor(
    code: GrpcCode,
    details: string,
    address?: string,
    { cause, transport, statusDetails }: GrpcErrorContext = {},
  ) {
    super(address === undefined ? `${code}: ${details}` : `${address}: ${code}: ${details}`, { cause });
    this.code = code;
    this.details = details;
    this.transport = transport;
    this.statusDetails = statusDetails;
  }

  /** Wrap whatever was thrown. */
  static from(error: unknown, address?: string): GrpcError {
    if (error instanceof GrpcError) return error;
    const code = error instanceof Error && "code" in error ? Number(error.code) : statusCodes.UNKNOWN;
    const details =
      error instanceof Error && "details" in error && typeof error.details === "string"
        ? error.details
        : String(error);
    return new GrpcError(codeName(code), details, address, { cause: error });
  }
}

function codeName(code: number): GrpcCode {
  const name = statusName(code);
  return name === "OK" ? "UNKNOWN" : name;
}
