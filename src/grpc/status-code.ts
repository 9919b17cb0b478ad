/**
 * gRPC's status codes, and what becomes one of them (gRPC's documentation: "Status codes and their use in gRPC",
 * "gRPC over HTTP2", "HTTP to gRPC Status Code Mapping").
 */
import { constants } from "node:http2";

/** Every code by name. */
export const statusCodes = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

/** A code's name. */
export type StatusName = keyof typeof statusCodes;

/** Names of the codes that are failures. */
export type GrpcCode = Exclude<StatusName, "OK">;

const names = new Map<number, StatusName>(
  Object.entries(statusCodes).map(([name, code]) => [code, name as StatusName]),
);

/** UNKNOWN for a number that is none. */
export function statusName(code: number): StatusName {
  return names.get(code) ?? "UNKNOWN";
}

/** The code of an answer that is no gRPC, by its HTTP status. */
export function codeOfHttpStatus(status: number): GrpcCode {
  switch (status) {
    case 400:
      return "INTERNAL";
    case 401:
      return "UNAUTHENTICATED";
    case 403:
      return "PERMISSION_DENIED";
    case 404:
      return "UNIMPLEMENTED";
    case 429:
    case 502:
    case 503:
    case 504:
      return "UNAVAILABLE";
    default:
      return "UNKNOWN";
  }
}

/** The code of a stream that was reset without a status, by HTTP/2's error code. */
export function codeOfReset(errorCode: number): GrpcCode {
  switch (errorCode) {
    case constants.NGHTTP2_REFUSED_STREAM:
      return "UNAVAILABLE";
    case constants.NGHTTP2_CANCEL:
      return "CANCELLED";
    case constants.NGHTTP2_ENHANCE_YOUR_CALM:
      return "RESOURCE_EXHAUSTED";
    case constants.NGHTTP2_INADEQUATE_SECURITY:
      return "PERMISSION_DENIED";
    default:
      return "INTERNAL";
  }
}

/** `grpc-message` as it is sent: UTF-8, of which only printable ASCII but `%` stays. */
export function encodeStatusMessage(message: string): string {
  return message.replaceAll(/[^\x20-\x24\x26-\x7e]+/g, (run) =>
    [...Buffer.from(run)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
  );
}

/** What it says; a message that is not encoded well is shown as it came. */
export function decodeStatusMessage(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}

const maxTimeoutCount = 99_999_999;

const timeoutUnits: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/** A `grpc-timeout` of at least `ms`: its number has eight digits, so that the unit grows with it. */
export function formatTimeout(ms: number): string {
  for (const unit of ["m", "S", "M"]) {
    const count = Math.ceil(Math.max(0, ms) / (timeoutUnits[unit] ?? 1));
    if (count <= maxTimeoutCount) return `${count}${unit}`;
  }
  return `${Math.min(Math.ceil(ms / 3_600_000), maxTimeoutCount)}H`;
}

/** Milliseconds of a `grpc-timeout`; undefined when it is none. */
export function parseTimeout(text: string): number | undefined {
  const [, digits, unit = ""] = /^(\d{1,8})([HMSmun])$/.exec(text) ?? [];
  const scale = timeoutUnits[unit];
  return digits === undefined || scale === undefined ? undefined : Math.ceil(Number(digits) * scale);
}
