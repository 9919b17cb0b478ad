/**
 * The one error of gRPC calls, with a closed set of codes.
 */
import { type GrpcCode, statusCodes, statusName } from "./status-code.ts";

/** A call that failed, and where it went. */
export class GrpcError extends Error {
  override readonly name = "GrpcError";
  readonly code: GrpcCode;
  /** The server's or the library's own words. */
  readonly details: string;

  constructor(code: GrpcCode, details: string, address?: string, cause?: unknown) {
    super(address === undefined ? `${code}: ${details}` : `${address}: ${code}: ${details}`, { cause });
    this.code = code;
    this.details = details;
  }

  /** Wrap whatever was thrown. */
  static from(error: unknown, address?: string): GrpcError {
    if (error instanceof GrpcError) return error;
    const code = error instanceof Error && "code" in error ? Number(error.code) : statusCodes.UNKNOWN;
    const details =
      error instanceof Error && "details" in error && typeof error.details === "string"
        ? error.details
        : String(error);
    return new GrpcError(codeName(code), details, address, error);
  }
}

function codeName(code: number): GrpcCode {
  const name = statusName(code);
  return name === "OK" ? "UNKNOWN" : name;
}
