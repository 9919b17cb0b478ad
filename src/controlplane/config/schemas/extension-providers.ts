/**
 * Services that proxies turn to for logs, traces and decisions: MeshConfig's `extensionProviders`.
 */
import { STATUS_CODES } from "node:http";
import {
  boolean,
  type Decoder,
  integer,
  list,
  mapping,
  object,
  oneOf,
  optional,
  report,
  required,
  text,
} from "../decode.ts";
import { badFormats, formatForm, isFormattedLine, isLogFormat } from "../format-commands.ts";
import { isAddress, isHeaderName, isHost, isNamespace } from "../forms.ts";
import { type JsonObject, jsonObject } from "../json-value.ts";
import { count, line, portNumber, positiveDuration } from "./common.ts";

function isProviderService(value: string): boolean {
  const [host = "", namespace, ...rest] = value.split("/").toReversed();
  if (rest.length > 0 || host.startsWith("*")) return false;
  if (namespace === undefined) return isHost(host) || isAddress(host);
  return isNamespace(namespace) && isHost(host);
}

/** Where a provider is: a service of the mesh. */
const called = {
  service: required(text("a host name, or namespace/host", isProviderService)),
  port: required(portNumber),
};

/** Statuses that Node.js has a name for and Envoy has not (envoy.type.v3.StatusCode). */
const notEnvoys: ReadonlySet<string> = new Set(["101", "102", "103", "418", "425", "451", "509"]);

const status = text(
  "the number of an HTTP status that Envoy knows, in quotes",
  (value) => value in STATUS_CODES && !notEnvoys.has(value),
);

const name = text("the name of a header", isHeaderName);
const names = list(name);

/** A header that Envoy sets for a provider. */
const ownHeader = {
  expected: "the name of a header that is not host and does not begin with a colon",
  test: (value: string): boolean =>
    isHeaderName(value) && !value.startsWith(":") && value.toLowerCase() !== "host",
};

const headerValue = text(`${formatForm}, without line breaks`, isFormattedLine);

const header = object({
  name: required(text(ownHeader.expected, ownHeader.test)),
  value: optional(headerValue),
  envName: optional(text("the name of a variable", (value) => /^[A-Za-z_]\w*$/.test(value))),
});

const bodyInCheck = object({
  maxRequestBytes: optional(count),
  allowPartialMessage: optional(boolean),
  packAsBytes: optional(boolean),
});

const authorizes = {
  ...called,
  timeout: optional(positiveDuration),
  failOpen: optional(boolean),
  clearRouteCache: optional(boolean),
  statusOnError: optional(status),
  includeRequestBodyInCheck: optional(bodyInCheck),
};

const labels: Decoder<JsonObject> = (node, path, context) => {
  const given = jsonObject(node, path, context);
  const bad = given === undefined ? [] : badFormats(given, path);
  for (const each of bad) report(context, node, each, `must be ${formatForm}`);
  return bad.length === 0 ? given : undefined;
};

const logFormat = object({ text: optional(text(formatForm, isLogFormat)), labels: optional(labels) });

const httpLog = {
  ...called,
  logName: optional(line),
  filterStateObjectsToLog: optional(list(line)),
};

const httpService = object({
  path: optional(line),
  timeout: optional(positiveDuration),
  headers: optional(list(header)),
});

/** Of each kind of provider what it says; a provider has exactly one of them. */
export const providerKinds = {
  envoyExtAuthzHttp: optional(
    object({
      ...authorizes,
      pathPrefix: optional(text("a path", (value) => value.startsWith("/"))),
      includeHeadersInCheck: optional(names),
      includeRequestHeadersInCheck: optional(names),
      includeAdditionalHeadersInCheck: optional(mapping(headerValue, ownHeader)),
      headersToUpstreamOnAllow: optional(names),
      headersToDownstreamOnDeny: optional(names),
      headersToDownstreamOnAllow: optional(names),
    }),
  ),
  envoyExtAuthzGrpc: optional(object(authorizes)),
  zipkin: optional(
    object({
      ...called,
      maxTagLength: optional(count),
      enable64bitTraceId: optional(boolean),
      path: optional(line),
      traceContextOption: optional(oneOf("USE_B3", "USE_B3_WITH_W3C_PROPAGATION")),
      timeout: optional(positiveDuration),
      headers: optional(list(header)),
    }),
  ),
  datadog: optional(object({ ...called, maxTagLength: optional(count) })),
  skywalking: optional(object({ ...called, accessToken: optional(line) })),
  opentelemetry: optional(
    object({
      ...called,
      maxTagLength: optional(count),
      http: optional(httpService),
      grpc: optional(
        object({ timeout: optional(positiveDuration), initialMetadata: optional(list(header)) }),
      ),
      resourceDetectors: optional(
        object({ environment: optional(object({})), dynatrace: optional(object({})) }),
      ),
      serviceAttributeEnrichment: optional(oneOf("ISTIO_CANONICAL", "OTEL_SEMANTIC_CONVENTIONS")),
      dynatraceSampler: optional(
        object({
          tenant: required(line),
          clusterId: required(integer(-2_147_483_648, 2_147_483_647)),
          rootSpansPerMinute: optional(count),
          httpService: optional(object({ ...called, http: required(httpService) })),
        }),
      ),
    }),
  ),
  prometheus: optional(object({})),
  stackdriver: optional(
    object({
      maxTagLength: optional(count),
      logging: optional(object({ labels: optional(mapping(text())) })),
    }),
  ),
  envoyFileAccessLog: optional(
    object({
      path: optional(line),
      logFormat: optional(logFormat),
      omitEmptyValues: optional(boolean),
    }),
  ),
  envoyHttpAls: optional(
    object({
      ...httpLog,
      additionalRequestHeadersToLog: optional(names),
      additionalResponseHeadersToLog: optional(names),
      additionalResponseTrailersToLog: optional(names),
    }),
  ),
  envoyTcpAls: optional(object(httpLog)),
  envoyOtelAls: optional(object({ ...called, logName: optional(line), logFormat: optional(logFormat) })),
};

export const extensionProvider = object({ name: required(text()), ...providerKinds });
