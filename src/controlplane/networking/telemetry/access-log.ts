/** What tells a provider of accesses (Envoy's access loggers). */
import type {
  AccessLogFilterJson,
  AccessLogJson,
} from "../../../proto/envoy/envoy/config/accesslog/v3/accesslog_pb.js";
import type { SubstitutionFormatStringJson } from "../../../proto/envoy/envoy/config/core/v3/substitution_format_string_pb.js";
import { FileAccessLogSchema } from "../../../proto/envoy/envoy/extensions/access_loggers/file/v3/file_pb.js";
import { ExpressionFilterSchema } from "../../../proto/envoy/envoy/extensions/access_loggers/filters/cel/v3/cel_pb.js";
import {
  type CommonGrpcAccessLogConfigJson,
  HttpGrpcAccessLogConfigSchema,
  TcpGrpcAccessLogConfigSchema,
} from "../../../proto/envoy/envoy/extensions/access_loggers/grpc/v3/als_pb.js";
import { OpenTelemetryAccessLogConfigSchema } from "../../../proto/envoy/envoy/extensions/access_loggers/open_telemetry/v3/logs_service_pb.js";
import { ReqWithoutQuerySchema } from "../../../proto/envoy/envoy/extensions/formatter/req_without_query/v3/req_without_query_pb.js";
import { parseJsonObject } from "../../config/json-value.ts";
import type { ExtensionProviderSpec, MeshConfigSpec } from "../../config/objects.ts";
import { packed } from "../any.ts";
import { jsonLogFormat, textLogFormat } from "./log-formats.ts";
import { type FindProvider, grpcService, type ProviderCluster } from "./provider-cluster.ts";

type JsonFormat = NonNullable<SubstitutionFormatStringJson["jsonFormat"]>;

/** The log of a provider; undefined for one of another kind, or one that cannot be reached. */
export function accessLog(
  provider: ExtensionProviderSpec,
  mesh: MeshConfigSpec,
  find: FindProvider,
): AccessLogJson | undefined {
  const { envoyFileAccessLog: file, envoyHttpAls: http, envoyTcpAls: tcp, envoyOtelAls: otel } = provider;
  if (file !== undefined) {
    const saysNothing = file.logFormat === undefined && file.omitEmptyValues !== true;
    // The one that every mesh has is formatted as the mesh says.
    if (provider.name === "envoy" && saysNothing) return meshFileLog(file.path ?? "/dev/stdout", mesh);
    const { labels, text = "" } = file.logFormat ?? {};
    const format = labels === undefined ? textFormat(text) : jsonFormat(labels);
    return fileLog(file.path ?? "/dev/stdout", {
      ...format,
      ...(file.omitEmptyValues === true ? { omitEmptyValues: true } : {}),
    });
  }
  const called = http ?? tcp ?? otel;
  const cluster = called === undefined ? undefined : find(called);
  if (cluster === undefined) return undefined;
  if (http !== undefined) {
    return {
      name: "envoy.access_loggers.http_grpc",
      typedConfig: packed(HttpGrpcAccessLogConfigSchema, {
        commonConfig: common(cluster, http.logName ?? "http_envoy_accesslog", http.filterStateObjectsToLog),
        ...headersToLog(http),
      }),
    };
  }
  if (tcp !== undefined) {
    return {
      name: "envoy.tcp_grpc_access_log",
      typedConfig: packed(TcpGrpcAccessLogConfigSchema, {
        commonConfig: common(cluster, tcp.logName ?? "tcp_envoy_accesslog", tcp.filterStateObjectsToLog),
      }),
    };
  }
  return otel === undefined ? undefined : openTelemetryLog(otel, cluster);
}

/** The log of a mesh that names a file and no provider. */
export function meshFileLog(path: string, mesh: MeshConfigSpec): AccessLogJson {
  const { accessLogEncoding, accessLogFormat = "" } = mesh;
  if (accessLogEncoding !== "JSON") return fileLog(path, textFormat(accessLogFormat));
  return fileLog(path, jsonFormat(parseJsonObject(accessLogFormat) ?? {}));
}

/** The same log of what all of the filters let through. */
export function filtered(log: AccessLogJson, filters: readonly AccessLogFilterJson[]): AccessLogJson {
  const [first] = filters;
  if (first === undefined) return log;
  return { ...log, filter: filters.length === 1 ? first : { andFilter: { filters: [...filters] } } };
}

/** What a condition in CEL holds for. */
export function expressionFilter(expression: string): AccessLogFilterJson {
  return {
    extensionFilter: {
      name: "envoy.access_loggers.extension_filters.cel",
      typedConfig: packed(ExpressionFilterSchema, { expression }),
    },
  };
}

function fileLog(path: string, logFormat: SubstitutionFormatStringJson): AccessLogJson {
  return { name: "envoy.access_loggers.file", typedConfig: packed(FileAccessLogSchema, { path, logFormat }) };
}

function textFormat(text: string): SubstitutionFormatStringJson {
  const line = text === "" ? textLogFormat : text;
  return {
    textFormatSource: { inlineString: line.endsWith("\n") ? line : `${line}\n` },
    ...formatters(line),
  };
}

function jsonFormat(
  labels: NonNullable<NonNullable<ExtensionProviderSpec["envoyFileAccessLog"]>["logFormat"]>["labels"] &
    object,
): SubstitutionFormatStringJson {
  const format = Object.keys(labels).length === 0 ? jsonLogFormat : labels;
  return { jsonFormat: format as JsonFormat, jsonFormatOptions: {}, ...formatters(JSON.stringify(format)) };
}

/** What Envoy has no command for by itself. */
function formatters(format: string): Pick<SubstitutionFormatStringJson, "formatters"> {
  if (!format.includes("%REQ_WITHOUT_QUERY")) return {};
  return {
    formatters: [
      { name: "envoy.formatter.req_without_query", typedConfig: packed(ReqWithoutQuerySchema, {}) },
    ],
  };
}

function common(
  cluster: ProviderCluster,
  logName: string,
  states: readonly string[] | undefined,
): CommonGrpcAccessLogConfigJson {
  return {
    logName,
    grpcService: grpcService(cluster),
    transportApiVersion: "V3",
    ...(states === undefined ? {} : { filterStateObjectsToLog: [...states] }),
  };
}

function headersToLog({
  additionalRequestHeadersToLog: request,
  additionalResponseHeadersToLog: response,
  additionalResponseTrailersToLog: trailers,
}: NonNullable<ExtensionProviderSpec["envoyHttpAls"]>): object {
  return {
    ...(request && { additionalRequestHeadersToLog: [...request] }),
    ...(response && { additionalResponseHeadersToLog: [...response] }),
    ...(trailers && { additionalResponseTrailersToLog: [...trailers] }),
  };
}

function openTelemetryLog(
  { logName = "otel_envoy_accesslog", logFormat = {} }: NonNullable<ExtensionProviderSpec["envoyOtelAls"]>,
  cluster: ProviderCluster,
): AccessLogJson {
  const { text = "", labels = {} } = logFormat;
  const body = text === "" ? textLogFormat : text;
  const attributes = Object.entries(labels)
    .map(([key, value]) => ({ key, value: { stringValue: typeof value === "string" ? value : "" } }))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1));
  return {
    name: "envoy.access_loggers.open_telemetry",
    typedConfig: packed(OpenTelemetryAccessLogConfigSchema, {
      commonConfig: common(cluster, logName, undefined),
      disableBuiltinLabels: true,
      body: { stringValue: body },
      ...(attributes.length === 0 ? {} : { attributes: { values: attributes } }),
      ...formatters(body + JSON.stringify(labels)),
    }),
  };
}
