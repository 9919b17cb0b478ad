/**
 * Where the agent's own telemetry goes, from OpenTelemetry's variables.
 *
 * They are often set for a whole pod and meant for its application, so that what cannot be used is a warning, as the
 * specification wants it, and never a reason not to start.
 */
import { shown } from "../../schema/config-problem.ts";
import type { OtlpOptions, OtlpProtocol, OtlpTarget } from "../../otlp/options.ts";
import type { Environment } from "../sources/environment.ts";

/** Whom it is about. */
export interface TelemetrySubject {
  /** Of this release. */
  readonly version: string;
  readonly nodeId: string;
}

type Signal = "TRACES" | "METRICS";
type Endpoint = Pick<OtlpTarget, "url">;

const paths: Readonly<Record<Signal, string>> = { TRACES: "v1/traces", METRICS: "v1/metrics" };

/** Between two exports of metrics, whatever is asked for, in milliseconds. */
const leastIntervalMs = 1_000;

/** Header field name (RFC 9110, section 5.6.2), and what Node.js takes for a value. */
const headerName = /^[\w!#$%&'*+.^`|~-]+$/;
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/;

/** The same of metadata, which HTTP/2 carries (gRPC over HTTP/2, Custom-Metadata), and whose names gRPC has for itself. */
const metadataValue = /^[\x20-\x7e]*$/;
const notMetadata =
  /^(?:grpc-.*|content-type|te|host|user-agent|connection|keep-alive|proxy-connection|transfer-encoding|upgrade|http2-settings)$/i;

/** An endpoint of gRPC without a scheme. */
const hostAndPort = /^(?:\[[\da-f:.]+\]|[\w.-]+):\d{1,5}$/i;

/** Undefined exports nothing. */
export function otlpOptions(
  env: Environment,
  { version, nodeId }: TelemetrySubject,
  warnings: string[],
): OtlpOptions | undefined {
  if (env.OTEL_SDK_DISABLED) return undefined;
  const traces = target("TRACES", env, warnings);
  const metrics = target("METRICS", env, warnings);
  if (traces === undefined && metrics === undefined) return undefined;
  const given = pairs("OTEL_RESOURCE_ATTRIBUTES", env.OTEL_RESOURCE_ATTRIBUTES, warnings);
  return {
    traces,
    metrics,
    metricsIntervalMs: Math.max(leastIntervalMs, env.OTEL_METRIC_EXPORT_INTERVAL),
    resource: {
      "service.name": "outrider",
      "service.version": version,
      "service.instance.id": nodeId,
      ...named("k8s.pod.name", env.POD_NAME),
      ...named("k8s.namespace.name", env.POD_NAMESPACE),
      ...Object.fromEntries(given),
      ...named("service.name", env.OTEL_SERVICE_NAME),
    },
  };
}

function named(name: string, value: string): Readonly<Record<string, string>> {
  return value === "" ? {} : { [name]: value };
}

function target(signal: Signal, env: Environment, warnings: string[]): OtlpTarget | undefined {
  const exporter = env[`OTEL_${signal}_EXPORTER`];
  if (exporter !== "" && !exporter.split(",").includes("otlp")) return undefined;
  if (env[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`] === "" && env.OTEL_EXPORTER_OTLP_ENDPOINT === "")
    return undefined;
  const protocol = protocolOf(signal, env, warnings);
  const endpoint = endpointOf(signal, protocol, env, warnings);
  if (endpoint === undefined) return undefined;
  const compression = env[`OTEL_EXPORTER_OTLP_${signal}_COMPRESSION`] ?? env.OTEL_EXPORTER_OTLP_COMPRESSION;
  return {
    ...endpoint,
    protocol,
    headers: {
      ...headers("OTEL_EXPORTER_OTLP_HEADERS", protocol, env, warnings),
      ...headers(`OTEL_EXPORTER_OTLP_${signal}_HEADERS`, protocol, env, warnings),
    },
    timeoutMs: env[`OTEL_EXPORTER_OTLP_${signal}_TIMEOUT`] ?? env.OTEL_EXPORTER_OTLP_TIMEOUT,
    compression: compression === "gzip" ? "gzip" : "none",
    tls: {
      rootPath: env[`OTEL_EXPORTER_OTLP_${signal}_CERTIFICATE`] ?? env.OTEL_EXPORTER_OTLP_CERTIFICATE,
      certificatePath:
        env[`OTEL_EXPORTER_OTLP_${signal}_CLIENT_CERTIFICATE`] ?? env.OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE,
      keyPath: env[`OTEL_EXPORTER_OTLP_${signal}_CLIENT_KEY`] ?? env.OTEL_EXPORTER_OTLP_CLIENT_KEY,
    },
  };
}

function endpointOf(
  signal: Signal,
  protocol: OtlpProtocol,
  env: Environment,
  warnings: string[],
): Endpoint | undefined {
  const own = `OTEL_EXPORTER_OTLP_${signal}_ENDPOINT` as const;
  const variable = env[own] === "" ? "OTEL_EXPORTER_OTLP_ENDPOINT" : own;
  const given = env[variable];
  const isInsecure = env[`OTEL_EXPORTER_OTLP_${signal}_INSECURE`] ?? env.OTEL_EXPORTER_OTLP_INSECURE;
  // As gRPC itself writes it: in plain text where that is asked for alone.
  const isBare = protocol === "grpc" && hostAndPort.test(given);
  const text = isBare ? `${isInsecure ? "http" : "https"}://${given}` : given;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    // Not the value itself: there may be a password in it.
    const port = protocol === "grpc" ? 4317 : 4318;
    add(warnings, `${variable} is no URL such as http://collector:${port}: nothing is exported to it`);
    return undefined;
  }
  // A path means nothing to gRPC.
  if (protocol === "grpc") return { url: url.origin };
  if (variable !== own) url.pathname += `${url.pathname.endsWith("/") ? "" : "/"}${paths[signal]}`;
  return { url: url.href };
}

function protocolOf(signal: Signal, env: Environment, warnings: string[]): OtlpProtocol {
  const own = `OTEL_EXPORTER_OTLP_${signal}_PROTOCOL` as const;
  const variable = env[own] === "" ? "OTEL_EXPORTER_OTLP_PROTOCOL" : own;
  const given = env[variable];
  if (given === "http/json" || given === "grpc") return given;
  if (given !== "" && given !== "http/protobuf")
    add(
      warnings,
      `${variable}: ${shown(given)} is not http/protobuf, http/json or grpc; using http/protobuf`,
    );
  return "http/protobuf";
}

function headers(
  variable: keyof Environment & `OTEL_EXPORTER_OTLP_${string}HEADERS`,
  protocol: OtlpProtocol,
  env: Environment,
  warnings: string[],
): Readonly<Record<string, string>> {
  const entries = pairs(variable, env[variable], warnings).filter(([name, value]) => {
    const isSent =
      headerName.test(name) &&
      headerValue.test(value) &&
      (protocol !== "grpc" || (metadataValue.test(value) && !notMetadata.test(name)));
    if (!isSent) add(warnings, `${variable}: the header ${shown(name)} cannot be sent, and is left out`);
    return isSent;
  });
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), value]));
}

/** `key=value,key=value`, both as in a URL (W3C Baggage, without properties). */
function pairs(variable: string, text: string, warnings: string[]): readonly (readonly [string, string])[] {
  const items = text.split(",").filter((item) => item.trim() !== "");
  return items.flatMap((item, index) => {
    const [name = "", ...rest] = item.split("=");
    const pair = [decoded(name), decoded(rest.join("="))] as const;
    const [key, value] = pair;
    if (rest.length > 0 && key !== undefined && key !== "" && value !== undefined) return [[key, value]];
    // Not the item itself: it may be a secret.
    add(
      warnings,
      `${variable}: entry ${index + 1} is not key=value with what a URL has no place for escaped`,
    );
    return [];
  });
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.trim());
  } catch {
    return undefined;
  }
}

/** What two signals share is said once. */
function add(warnings: string[], warning: string): void {
  if (!warnings.includes(warning)) warnings.push(warning);
}
