/**
 * What the workload says of itself by gRPC's own protocol (grpc.health.v1), in plain text.
 */
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { callGrpc, openSession } from "../grpc/bare-call.ts";
import { formatHostPort } from "../net/host-port.ts";
import { connectTo } from "./tcp.ts";
import type { ProbeMethod, ProbeResult } from "./method.ts";

type GrpcCheck = Extract<ProbeMethod, { kind: "grpc" }>;

/** HealthCheckResponse.ServingStatus. */
const statuses = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];

/** Ask once, over a connection of its own. @throws the error of a failed call, or the signal's reason */
export async function probeGrpc(check: GrpcCheck, signal: AbortSignal): Promise<ProbeResult> {
  const socket = await connectTo(check, signal);
  try {
    const session = await openSession(socket, "http");
    try {
      const { status, message, httpStatus, body } = await callGrpc(session, {
        authority: formatHostPort(check),
        path: "/grpc.health.v1.Health/Check",
        metadata: { "user-agent": check.userAgent ?? "istio-probe/1.0" },
        message: healthCheckRequest(check.service),
      });
      if (status === 0) return verdictOf(body);
      const what = status === undefined ? `HTTP status ${httpStatus}` : `gRPC status ${status}`;
      return { kind: "unhealthy", reason: `it answered ${what}${message === "" ? "" : `: ${message}`}` };
    } finally {
      session.destroy();
    }
  } finally {
    socket.destroy();
  }
}

/** A HealthCheckRequest. */
function healthCheckRequest(service: string): Uint8Array {
  const writer = new BinaryWriter();
  if (service !== "") writer.tag(1, WireType.LengthDelimited).string(service);
  return writer.finish();
}

/** What a HealthCheckResponse says. @throws Error when the bytes are none */
export function verdictOf(response: Uint8Array): ProbeResult {
  let status = 0;
  const reader = new BinaryReader(response);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1 && wireType === WireType.Varint) status = reader.int32();
    else reader.skip(wireType, field);
  }
  if (statuses[status] === "SERVING") return { kind: "healthy" };
  return { kind: "unhealthy", reason: `it is ${statuses[status] ?? `in status ${status}`}` };
}
