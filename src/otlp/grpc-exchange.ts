/**
 * OTLP over gRPC: one call on a connection of its own (OTLP specification, "OTLP/gRPC").
 *
 * Exports come seconds or minutes apart: a connection that is kept would have to be kept alive, which servers take ill.
 */
import { type ChannelTls, GrpcChannel } from "../grpc/channel.ts";
import { GrpcError } from "../grpc/grpc-error.ts";
import type { GrpcCode } from "../grpc/status-code.ts";
import { formatHostPort, unbracketed } from "../net/host-port.ts";
import { type Exchange, maxAnswerBytes, readTls, RefusedError } from "./exchange.ts";
import type { Signal } from "./metrics.ts";
import type { OtlpTarget } from "./options.ts";

const paths: Readonly<Record<Signal, string>> = {
  traces: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
  metrics: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
};

/** What passes (OTLP specification, "OTLP/gRPC Response"). */
const retryableCodes: ReadonlySet<GrpcCode> = new Set([
  ...(["CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE"] as const),
  "DATA_LOSS",
]);

/** Stands in the details of a status whose server says when to come again (google/rpc/error_details.proto). */
const retryInfo = Buffer.from("type.googleapis.com/google.rpc.RetryInfo");

/** @throws RefusedError for an answer that another try would not change, else an Error */
export async function exchangeByGrpc(
  { url, headers, compression, tls }: OtlpTarget,
  of: Signal,
  { body, leftMs, signal }: Exchange,
): Promise<Buffer> {
  const { protocol, hostname, port } = new URL(url);
  const isSecure = protocol === "https:";
  const address = formatHostPort({
    host: unbracketed(hostname),
    port: port === "" ? (isSecure ? 443 : 80) : Number(port),
  });
  using channel = new GrpcChannel({ address, tls: isSecure ? channelTls(tls) : undefined });
  try {
    return await channel.unary({
      path: paths[of],
      request: body,
      encoding: compression === "gzip" ? "gzip" : undefined,
      mostAnswerBytes: maxAnswerBytes,
      metadata: headers,
      timeoutMs: leftMs,
      signal,
    });
  } catch (error) {
    const { code, details, statusDetails } = GrpcError.from(error);
    const message = details === "" ? code : `${code}: ${details}`;
    // Without such a word the server does not recover by waiting.
    const passes =
      retryableCodes.has(code) ||
      (code === "RESOURCE_EXHAUSTED" && Buffer.from(statusDetails ?? []).includes(retryInfo));
    throw passes ? new Error(message, { cause: error }) : new RefusedError(message, { cause: error });
  }
}

function channelTls(files: OtlpTarget["tls"]): ChannelTls {
  const { roots, certificate, key } = readTls(files);
  return {
    rootCertificates: roots,
    clientCertificate:
      certificate === undefined || key === undefined
        ? undefined
        : { certificateChain: certificate, privateKey: key },
  };
}
