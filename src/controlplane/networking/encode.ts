/**
 * Resources from protobuf's JSON form to bytes. A field that Envoy does not have is an error here, not in Envoy.
 */
import { type DescMessage, fromBinary, fromJson, type JsonValue, toBinary, toJson } from "@bufbuild/protobuf";
import {
  CorsSchema,
  CorsPolicySchema,
} from "../../proto/envoy/envoy/extensions/filters/http/cors/v3/cors_pb.js";
import { HTTPFaultSchema } from "../../proto/envoy/envoy/extensions/filters/http/fault/v3/fault_pb.js";
import { FilterConfigSchema } from "../../proto/envoy/envoy/extensions/filters/http/grpc_stats/v3/config_pb.js";
import { PreviousPrioritiesConfigSchema } from "../../proto/envoy/envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config_pb.js";
import { ExtAuthzSchema } from "../../proto/envoy/envoy/extensions/filters/http/ext_authz/v3/ext_authz_pb.js";
import { ExtAuthzSchema as NetworkExtAuthzSchema } from "../../proto/envoy/envoy/extensions/filters/network/ext_authz/v3/ext_authz_pb.js";
import { JwtAuthenticationSchema } from "../../proto/envoy/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js";
import { RBACSchema as HttpRbacSchema } from "../../proto/envoy/envoy/extensions/filters/http/rbac/v3/rbac_pb.js";
import { RBACSchema as NetworkRbacSchema } from "../../proto/envoy/envoy/extensions/filters/network/rbac/v3/rbac_pb.js";
import { LuaSchema } from "../../proto/envoy/envoy/extensions/filters/http/lua/v3/lua_pb.js";
import { WasmSchema as HttpWasmSchema } from "../../proto/envoy/envoy/extensions/filters/http/wasm/v3/wasm_pb.js";
import { WasmSchema as NetworkWasmSchema } from "../../proto/envoy/envoy/extensions/filters/network/wasm/v3/wasm_pb.js";
import { UriTemplateMatchConfigSchema } from "../../proto/envoy/envoy/extensions/path/match/uri_template/v3/uri_template_match_pb.js";
import { RouterSchema } from "../../proto/envoy/envoy/extensions/filters/http/router/v3/router_pb.js";
import { HttpInspectorSchema } from "../../proto/envoy/envoy/extensions/filters/listener/http_inspector/v3/http_inspector_pb.js";
import { OriginalDstSchema } from "../../proto/envoy/envoy/extensions/filters/listener/original_dst/v3/original_dst_pb.js";
import { OriginalSrcSchema } from "../../proto/envoy/envoy/extensions/filters/listener/original_src/v3/original_src_pb.js";
import { TlsInspectorSchema } from "../../proto/envoy/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb.js";
import { HttpConnectionManagerSchema } from "../../proto/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { TcpProxySchema } from "../../proto/envoy/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import { PreviousHostsPredicateSchema } from "../../proto/envoy/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.js";
import { RawBufferSchema } from "../../proto/envoy/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer_pb.js";
import {
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "../../proto/envoy/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { HttpProtocolOptionsSchema } from "../../proto/envoy/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import { StringValueSchema } from "@bufbuild/protobuf/wkt";
import { brokenRules } from "./field-rules.ts";
import { FileAccessLogSchema } from "../../proto/envoy/envoy/extensions/access_loggers/file/v3/file_pb.js";
import { ExpressionFilterSchema } from "../../proto/envoy/envoy/extensions/access_loggers/filters/cel/v3/cel_pb.js";
import {
  HttpGrpcAccessLogConfigSchema,
  TcpGrpcAccessLogConfigSchema,
} from "../../proto/envoy/envoy/extensions/access_loggers/grpc/v3/als_pb.js";
import { OpenTelemetryAccessLogConfigSchema } from "../../proto/envoy/envoy/extensions/access_loggers/open_telemetry/v3/logs_service_pb.js";
import { ReqWithoutQuerySchema } from "../../proto/envoy/envoy/extensions/formatter/req_without_query/v3/req_without_query_pb.js";
import { UuidRequestIdConfigSchema } from "../../proto/envoy/envoy/extensions/request_id/uuid/v3/uuid_pb.js";
import { DatadogConfigSchema } from "../../proto/envoy/envoy/config/trace/v3/datadog_pb.js";
import { OpenTelemetryConfigSchema } from "../../proto/envoy/envoy/config/trace/v3/opentelemetry_pb.js";
import { SkyWalkingConfigSchema } from "../../proto/envoy/envoy/config/trace/v3/skywalking_pb.js";
import { ZipkinConfigSchema } from "../../proto/envoy/envoy/config/trace/v3/zipkin_pb.js";
import { withAllMessages } from "../config/envoy-messages.ts";

/** What may be inside `google.protobuf.Any`. */
const registry = withAllMessages(
  HttpRbacSchema,
  ExtAuthzSchema,
  JwtAuthenticationSchema,
  NetworkExtAuthzSchema,
  NetworkRbacSchema,
  LuaSchema,
  HttpWasmSchema,
  NetworkWasmSchema,
  StringValueSchema,
  UriTemplateMatchConfigSchema,
  CorsSchema,
  CorsPolicySchema,
  HTTPFaultSchema,
  FilterConfigSchema,
  PreviousPrioritiesConfigSchema,
  DownstreamTlsContextSchema,
  HttpConnectionManagerSchema,
  HttpInspectorSchema,
  HttpProtocolOptionsSchema,
  OriginalDstSchema,
  OriginalSrcSchema,
  PreviousHostsPredicateSchema,
  RawBufferSchema,
  RouterSchema,
  TcpProxySchema,
  TlsInspectorSchema,
  UpstreamTlsContextSchema,
  FileAccessLogSchema,
  ExpressionFilterSchema,
  HttpGrpcAccessLogConfigSchema,
  TcpGrpcAccessLogConfigSchema,
  OpenTelemetryAccessLogConfigSchema,
  ReqWithoutQuerySchema,
  UuidRequestIdConfigSchema,
  DatadogConfigSchema,
  OpenTelemetryConfigSchema,
  SkyWalkingConfigSchema,
  ZipkinConfigSchema,
);

/**
 * What turns the JSON form of a message into bytes. It throws the error of protobuf-es that names what does not fit, or one with
 * every rule of Envoy's that is broken. @param only the one field whose rules count, where the message is a part of one
 */
export function encoderOf(schema: DescMessage): (json: object, only?: string) => Uint8Array {
  return (json, only) => {
    const message = fromJson(schema, json as JsonValue, { registry });
    const broken = brokenRules(schema, message, registry, only);
    if (broken.length > 0) throw new Error(`Envoy would refuse it: ${broken.join("; ")}`);
    return toBinary(schema, message);
  };
}

/** What turns the bytes of a message into JSON with the field names of its `.proto`, as Envoy prints them. */
export function decoderOf(schema: DescMessage): (bytes: Uint8Array) => object {
  return (bytes) =>
    toJson(schema, fromBinary(schema, bytes), { registry, useProtoFieldName: true }) as object;
}
