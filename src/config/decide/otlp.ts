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
  const endpoint = endpointOf(signal, env, warnings);
  if (endpoint === undefined) return undefined;
  const protocol = protocolOf(signal, env, warnings);
  if (protocol === undefined) return undefined;
  return {
    ...endpoint,
    protocol,
    headers: {
      ...headers("OTEL_EXPORTER_OTLP_HEADERS", env, warnings),
      ...headers(`OTEL_EXPORTER_OTLP_${signal}_HEADERS`, env, warnings),
    },
    timeoutMs: env.OTEL_EXPORTER_OTLP_TIMEOUT,
    compression: env.OTEL_EXPORTER_OTLP_COMPRESSION === "gzip" ? "gzip" : "none",
    tls: {
      rootPath: env.OTEL_EXPORTER_OTLP_CERTIFICATE || undefined,
      certificatePath: env.OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE || undefined,
      keyPath: env.OTEL_EXPORTER_OTLP_CLIENT_KEY || undefined,
    },
  };
}

function endpointOf(signal: Signal, env: Environment, warnings: string[]): Endpoint | undefined {
  const own = `OTEL_EXPORTER_OTLP_${signal}_ENDPOINT` as const;
  const variable = env[own] === "" ? "OTEL_EXPORTER_OTLP_ENDPOINT" : own;
  const text = env[variable];
  if (text === "") return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    // Not the value itself: there may be a password in it.
    add(warnings, `${variable} is no URL such as http://collector:4318: nothing is exported to it`);
    return undefined;
  }
  if (variable !== own) url.pathname += `${url.pathname.endsWith("/") ? "" : "/"}${paths[signal]}`;
  return { url: url.href };
}

function protocolOf(signal: Signal, env: Environment, warnings: string[]): OtlpProtocol | undefined {
  const own = `OTEL_EXPORTER_OTLP_${signal}_PROTOCOL` as const;
  const variable = env[own] === "" ? "OTEL_EXPORTER_OTLP_PROTOCOL" : own;
  const given = env[variable];
  if (given === "http/json") return given;
  if (given === "grpc") {
    const instead =
      "the agent's own telemetry goes by HTTP alone, use http/protobuf and the endpoint's port for it, 4318";
    add(warnings, `${variable}: nothing is exported by grpc: ${instead}`);
    return undefined;
  }
  if (given !== "" && given !== "http/protobuf")
    add(warnings, `${variable}: ${shown(given)} is not http/protobuf or http/json; using http/protobuf`);
  return "http/protobuf";
}

function headers(
  variable: keyof Environment & `OTEL_EXPORTER_OTLP_${string}HEADERS`,
  env: Environment,
  warnings: string[],
): Readonly<Record<string, string>> {
  const entries = pairs(variable, env[variable], warnings).filter(([name, value]) => {
    const isSent = headerName.test(name) && headerValue.test(value);
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
