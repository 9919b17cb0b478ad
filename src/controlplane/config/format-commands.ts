/**
 * Commands that Envoy writes something in place of (its "access log format strings"): one that it does not know costs every
 * listener that has it. Which it takes, and with what in brackets, was asked of a real one.
 */
import { isCelExpression } from "./cel-expressions.ts";
import { isHeaderName, isLineOrEmpty } from "./forms.ts";
import type { Json } from "./json-value.ts";

/** What a format must be, as the rest of a sentence. */
export const formatForm =
  "a format in which each percent sign is doubled or begins one of Envoy's access log commands";

/** Those that stand alone. */
const plain =
  /^(?:(?:UPSTREAM|DOWNSTREAM)_(?:DETECTED_CLOSE_TYPE|LOCAL_CLOSE_REASON|TRANSPORT_FAILURE_REASON|(?:(?:DECOMPRESSED_)?HEADER|WIRE)_BYTES_(?:RECEIVED|SENT)|TLS_(?:CIPHER|VERSION|SESSION_ID)|PEER_(?:ISSUER|CERT|SUBJECT)|(?:PEER|LOCAL)_(?:URI|DNS|IP)_SAN|(?:LOCAL|REMOTE)_(?:ADDRESS|PORT))|DOWNSTREAM_(?:HANDSHAKE_DURATION|LOCAL_ADDRESS_ENDPOINT_ID|DIRECT_(?:LOCAL|REMOTE)_(?:ADDRESS|PORT)|(?:PEER|LOCAL)_(?:EMAIL|OTHERNAME)_SAN|LOCAL_SUBJECT|PEER_(?:SERIAL|CHAIN_SERIALS|(?:FINGERPRINT|CHAIN_FINGERPRINTS)_(?:1|256)))|UPSTREAM_(?:PROTOCOL|REQUEST_ATTEMPT_COUNT|CONNECTION_POOL_READY_DURATION|SERVER_NAME|HOST(?:_NAME(?:_WITHOUT_PORT|S_ATTEMPTED)?|S_ATTEMPTED(?:_WITHOUT_PORT)?)?|CONNECTION_IDS?_ATTEMPTED|CONNECTION_ID|CLUSTER(?:_RAW)?)|(?:REQUEST|RESPONSE)(?:_TX)?_DURATION|ROUNDTRIP_DURATION|DURATION|(?:BYTES|PACKETS)_RETRANSMITTED|BYTES_(?:RECEIVED|SENT)|PROTOCOL|RESPONSE_CODE|CONNECTION_TERMINATION_DETAILS|CUSTOM_FLAGS|RESPONSE_FLAGS(?:_LONG)?|CONNECTION_ID|REQUESTED_SERVER_NAME|ROUTE_NAME|HOSTNAME|FILTER_CHAIN_NAME|VIRTUAL_CLUSTER_NAME|TLS_JA[34]_FINGERPRINT|UNIQUE_ID|STREAM_ID|LOCAL_REPLY_BODY|ACCESS_LOG_TYPE|GRPC_STATUS_NUMBER|(?:REQUEST|RESPONSE)_HEADERS_BYTES|RESPONSE_TRAILERS_BYTES|TRACE_ID|SPAN_ID|QUERY_PARAMS|PATH|GRPC_STATUS)$/;

/** Those that may have something in brackets. */
const optional =
  /^(?:RESPONSE_CODE_DETAILS|(?:UPSTREAM|DOWNSTREAM)_(?:PEER_CERT_V_(?:START|END)|(?:LOCAL|REMOTE)_ADDRESS_WITHOUT_PORT)|DOWNSTREAM_DIRECT_(?:LOCAL|REMOTE)_ADDRESS_WITHOUT_PORT|(?:START|EMIT)_TIME(?:_LOCAL)?)$/;

/** Where a format stands. */
type FormatPlace = "log" | "header";

/** A text in which there are no other commands than Envoy's. */
export function isLogFormat(value: string): boolean {
  return isFormat(value, "log");
}

/** The same, of one line, as for a header or a tag. */
export function isFormattedLine(value: string): boolean {
  return isLineOrEmpty(value) && isFormat(value, "header");
}

/** Every text in a log's object that is no such format, by its path. */
export function badFormats(value: Json, path: string): readonly string[] {
  if (typeof value === "string") return isLogFormat(value) ? [] : [path];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, each]: [string, Json]) =>
    badFormats(each, Array.isArray(value) ? `${path}[${name}]` : `${path}.${name}`),
  );
}

/** As Envoy finds them: what is in brackets ends with the first bracket that the end of a command follows. */
const command = /%(?:%|([A-Z0-9_]+)(?:\((.*?)\))?(?::(\d+))?%)/g;

function isFormat(value: string, place: FormatPlace): boolean {
  if (value.includes("\0")) return false;
  const rest = value.replaceAll(command, (all: string, name?: string, inside?: string, length?: string) =>
    name === undefined || isCommand(name, inside ?? "", length, place) ? "" : all,
  );
  return !rest.includes("%");
}

function isCommand(name: string, inside: string, length: string | undefined, place: FormatPlace): boolean {
  if (length !== undefined && length.length > 5) return false;
  const mayBeShortened = length === undefined || ["PATH", "QUERY_PARAMS"].includes(name);
  if (inside === "") return mayBeShortened && (plain.test(name) || optional.test(name));
  switch (name) {
    case "REQ_WITHOUT_QUERY":
      return place === "log" && isHeaders(inside);
    case "REQ":
    case "RESP":
    case "TRAILER":
      return isHeaders(inside);
    case "CEL":
    case "TYPED_CEL":
      return isCelExpression(inside);
    case "DYNAMIC_METADATA":
      return true;
    case "CLUSTER_METADATA":
    case "UPSTREAM_METADATA":
      return length === undefined;
    case "METADATA":
      return length === undefined && /^(?:DYNAMIC|CLUSTER|ROUTE|UPSTREAM_HOST|LISTENER):/.test(inside);
    case "FILTER_STATE":
    case "UPSTREAM_FILTER_STATE":
      return /^[^:]+(?::(?:PLAIN|TYPED|FIELD:[^:]+))?$/.test(inside);
    case "ENVIRONMENT":
    case "QUERY_PARAM":
      return /^[\w.-]+$/.test(inside);
    case "COMMON_DURATION":
      return /^[A-Z_]+:[A-Z_]+:(?:ms|us|ns)$/.test(inside);
    default:
      return length === undefined && optional.test(name);
  }
}

/** One header, or another where there is none of it. */
function isHeaders(inside: string): boolean {
  const names = inside.split("?");
  return names.length <= 2 && names.every(isHeaderName);
}
