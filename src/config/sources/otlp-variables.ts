/**
 * OpenTelemetry's own variables, as far as they are about the export of the agent's telemetry (OpenTelemetry
 * specification, "OpenTelemetry Protocol Exporter" and "Environment Variable Specification").
 */
import { positiveCounts } from "../../schema/range.ts";
import { flag, integer, optionalFlag, optionalInteger, optionalText, text } from "../../schema/setting.ts";

/** Rows of the table of variables. */
export const otlpVariables = {
  OTEL_EXPORTER_OTLP_ENDPOINT: text(
    "",
    "URL of an OTLP endpoint, such as http://collector:4318: the agent's spans and metrics go to v1/traces and v1/metrics below it; by gRPC host:port will do.",
  ),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: text("", "The same for spans alone, taken as it stands."),
  OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: text("", "The same for metrics alone, taken as it stands."),
  OTEL_EXPORTER_OTLP_HEADERS: text(
    "",
    "Headers of each export, as key=value,key=value with values as in a URL.",
  ),
  OTEL_EXPORTER_OTLP_TRACES_HEADERS: text("", "More of them for spans, which count over the others."),
  OTEL_EXPORTER_OTLP_METRICS_HEADERS: text("", "More of them for metrics, which count over the others."),
  OTEL_EXPORTER_OTLP_PROTOCOL: text(
    "",
    "http/protobuf, which it is unless set, http/json or grpc, whose port is another one, usually 4317.",
  ),
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: text("", "The same for spans alone."),
  OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: text("", "The same for metrics alone."),
  OTEL_EXPORTER_OTLP_TIMEOUT: integer(
    10_000,
    positiveCounts,
    "Longest time of one export with all its tries, in milliseconds.",
  ),
  OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: optionalInteger(positiveCounts, "The same for spans alone."),
  OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: optionalInteger(positiveCounts, "The same for metrics alone."),
  OTEL_EXPORTER_OTLP_COMPRESSION: text("", "gzip, or none, which it is unless set."),
  OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: optionalText("The same for spans alone."),
  OTEL_EXPORTER_OTLP_METRICS_COMPRESSION: optionalText("The same for metrics alone."),
  OTEL_EXPORTER_OTLP_INSECURE: flag(
    false,
    "An endpoint of gRPC without http:// or https:// is spoken to in plain text.",
  ),
  OTEL_EXPORTER_OTLP_TRACES_INSECURE: optionalFlag("The same for spans alone."),
  OTEL_EXPORTER_OTLP_METRICS_INSECURE: optionalFlag("The same for metrics alone."),
  OTEL_EXPORTER_OTLP_CERTIFICATE: optionalText("PEM file that authenticates an endpoint of https."),
  OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE: optionalText("The same for spans alone."),
  OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE: optionalText("The same for metrics alone."),
  OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: optionalText("PEM file with the certificate of mutual TLS to it."),
  OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE: optionalText("The same for spans alone."),
  OTEL_EXPORTER_OTLP_METRICS_CLIENT_CERTIFICATE: optionalText("The same for metrics alone."),
  OTEL_EXPORTER_OTLP_CLIENT_KEY: optionalText("PEM file with the key of that certificate."),
  OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY: optionalText("The same for spans alone."),
  OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY: optionalText("The same for metrics alone."),
  OTEL_TRACES_EXPORTER: text("", "otlp, which it is unless set; anything else exports no spans."),
  OTEL_METRICS_EXPORTER: text("", "otlp, which it is unless set; anything else exports no metrics."),
  OTEL_METRIC_EXPORT_INTERVAL: integer(
    60_000,
    positiveCounts,
    "From one export of metrics to the next, in milliseconds; 1000 at least.",
  ),
  OTEL_SERVICE_NAME: text("", "service.name of what is exported; outrider unless set."),
  OTEL_RESOURCE_ATTRIBUTES: text(
    "",
    "Attributes of what is exported, as key=value,key=value with values as in a URL.",
  ),
  OTEL_SDK_DISABLED: flag(false, "Export nothing."),
} as const;
