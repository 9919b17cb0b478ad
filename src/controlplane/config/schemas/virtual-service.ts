/**
 * How requests and connections are routed: VirtualService.
 */
import {
  boolean,
  defaulted,
  integer,
  list,
  mapping,
  object,
  oneOf,
  optional,
  required,
  text,
} from "../decode.ts";
import {
  isGatewayName,
  isGrpcStatus,
  isHeaderName,
  isHeaderValue,
  isLineOrEmpty,
  isNamespace,
  isResourceName,
  isRetryOn,
} from "../forms.ts";
import {
  count,
  destination,
  exportTo,
  headerName,
  host,
  ipRange,
  labels,
  line,
  percent,
  portNumber,
  regularExpression,
  positiveDuration,
  stringMatch,
} from "./common.ts";

const gatewayNames = list(text('"mesh", or a Gateway as name or namespace/name', isGatewayName));
const weight = integer(0, 1_000_000);
const percentage = object({ value: optional(percent) });
const headerList = list(text("the name of a header", isHeaderName));

const headerValue = text(
  "a header's value of at most 16384 bytes, in which a percent sign is doubled or begins a command of Envoy's",
  isHeaderValue,
);

/** Envoy adds at most 1,000 to a request: what is set and added, by the route and by its one destination. */
const headersOfOne = mapping(headerValue, { ...headerName, most: 250 });

const headerOperations = object({
  set: optional(headersOfOne),
  add: optional(headersOfOne),
  remove: optional(headerList),
});

export const headers = object({
  request: optional(headerOperations),
  response: optional(headerOperations),
});

export const httpMatch = object({
  name: optional(text()),
  uri: optional(stringMatch),
  scheme: optional(stringMatch),
  method: optional(stringMatch),
  authority: optional(stringMatch),
  headers: optional(mapping(stringMatch, headerName)),
  withoutHeaders: optional(mapping(stringMatch, headerName)),
  queryParams: optional(
    mapping(stringMatch, { expected: "the name of a parameter", test: (key) => key !== "" }),
  ),
  port: optional(portNumber),
  sourceLabels: optional(labels),
  sourceNamespace: optional(text()),
  gateways: optional(gatewayNames),
  ignoreUriCase: optional(boolean),
});

export const routeDestination = object({
  destination: required(destination),
  weight: optional(weight),
  headers: optional(headers),
});

export const httpRoute = object({
  name: optional(text()),
  match: optional(list(httpMatch)),
  route: optional(list(routeDestination)),
  redirect: optional(
    object({
      uri: optional(line),
      prefixRewrite: optional(line),
      authority: optional(line),
      port: optional(portNumber),
      derivePort: optional(oneOf("FROM_PROTOCOL_DEFAULT", "FROM_REQUEST_PORT")),
      scheme: optional(oneOf("http", "https")),
      redirectCode: optional(integer(300, 399)),
    }),
  ),
  directResponse: optional(
    object({
      status: required(integer(200, 599)),
      body: optional(
        object({ string: optional(text("text", (value) => Buffer.byteLength(value) <= 1_048_576)) }),
      ),
    }),
  ),
  delegate: optional(
    object({
      name: required(text("the name of a VirtualService", isResourceName)),
      namespace: optional(text("the name of a namespace", isNamespace)),
    }),
  ),
  rewrite: optional(
    object({
      uri: optional(line),
      authority: optional(line),
      uriRegexRewrite: optional(
        object({
          match: required(regularExpression),
          rewrite: optional(text("text without line breaks", isLineOrEmpty)),
        }),
      ),
    }),
  ),
  timeout: optional(positiveDuration),
  retries: optional(
    object({
      attempts: optional(count),
      perTryTimeout: optional(positiveDuration),
      retryOn: optional(
        text("conditions of Envoy's retry_on, or numbers of statuses, divided by commas alone", isRetryOn),
      ),
      retryRemoteLocalities: optional(boolean),
      backoff: optional(positiveDuration),
    }),
  ),
  fault: optional(
    object({
      delay: optional(
        object({
          fixedDelay: required(positiveDuration),
          percentage: optional(percentage),
          percent: optional(integer(0, 100)),
        }),
      ),
      abort: optional(
        object({
          httpStatus: optional(integer(200, 599)),
          grpcStatus: optional(text("the name of a status of gRPC, such as UNAVAILABLE", isGrpcStatus)),
          percentage: optional(percentage),
        }),
      ),
    }),
  ),
  mirror: optional(destination),
  mirrorPercentage: optional(percentage),
  mirrors: optional(list(object({ destination: required(destination), percentage: optional(percentage) }))),
  corsPolicy: optional(
    object({
      allowOrigins: optional(list(stringMatch)),
      allowMethods: optional(list(text())),
      allowHeaders: optional(headerList),
      exposeHeaders: optional(headerList),
      maxAge: optional(positiveDuration),
      allowCredentials: optional(boolean),
      unmatchedPreflights: optional(oneOf("UNSPECIFIED", "FORWARD", "IGNORE")),
    }),
  ),
  headers: optional(headers),
});

const connectionMatch = {
  destinationSubnets: optional(list(ipRange)),
  port: optional(portNumber),
  sourceLabels: optional(labels),
  sourceNamespace: optional(text()),
  gateways: optional(gatewayNames),
};

const connectionDestination = object({ destination: required(destination), weight: optional(weight) });

export const tcpRoute = object({
  match: optional(list(object(connectionMatch))),
  route: required(list(connectionDestination, 1)),
});

export const tlsRoute = object({
  match: required(list(object({ ...connectionMatch, sniHosts: required(list(host, 1)) }), 1)),
  route: required(list(connectionDestination, 1)),
});

export const virtualService = object({
  // One without is there to be delegated to.
  hosts: defaulted(list(host), []),
  gateways: optional(gatewayNames),
  exportTo: optional(exportTo),
  http: optional(list(httpRoute)),
  tcp: optional(list(tcpRoute)),
  tls: optional(list(tlsRoute)),
});
