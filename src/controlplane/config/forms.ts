/**
 * Forms of single values, as Envoy takes them: one value that it refuses would cost all that is pushed with it.
 */
import { STATUS_CODES } from "node:http";
import { isIP } from "node:net";
import { maxSocketPathBytes } from "../../net/unix-socket.ts";

/** What `isAddressOrRange` takes, as problems say it. */
export const ipRangeForm = "an IP address, or a range of them such as 10.0.0.0/8";

/** What `isPolicyNamespace` takes, as problems say it. */
export const policyNamespaceForm = "the name of a namespace, or a part of it with *, of at most 253 bytes";

/** What `isModuleUrl` takes, as problems say it. */
export const moduleUrlForm =
  "the URL of a module that begins with oci://, https://, http:// or file://, or the name of an image";

/** Where a Wasm module is; an image may stand without `oci://`, but for one of a registry whose name looks like a scheme. */
export function isModuleUrl(value: string): boolean {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(value)?.[1]?.toLowerCase();
  if (/\s/.test(value) || value.includes("\0")) return false;
  if (scheme === undefined) return URL.canParse(`http://${value}`);
  if (scheme === "file") return /^file:\/\/\/./i.test(value);
  return ["oci", "http", "https"].includes(scheme) && URL.canParse(value) && /^[a-z]+:\/\/[^/]/i.test(value);
}

/** An IP address without a zone. */
export function isAddress(value: string): boolean {
  return isIP(value) !== 0 && !value.includes("%");
}

/** An IP address, or a range of them in CIDR form. */
export function isAddressOrRange(value: string): boolean {
  const [address = "", bits, ...rest] = value.split("/");
  if (rest.length > 0 || !isAddress(address)) return false;
  if (bits === undefined) return true;
  return /^(?:0|[1-9]\d{0,2})$/.test(bits) && Number(bits) <= (isIP(address) === 4 ? 32 : 128);
}

/** A DNS name of at most 253 characters, which may begin with a wildcard or be one, and end in a dot (RFC 1123). */
export function isHost(value: string): boolean {
  if (value === "*") return true;
  const name = value.endsWith(".") ? value.slice(0, -1) : value;
  if (name.length > 253) return false;
  const labels = (name.startsWith("*.") ? name.slice(2) : name).split(".");
  return labels.every((label) => /^[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?$/i.test(label));
}

/** Value of a label (Kubernetes' API conventions). */
export function isLabelValue(value: string): boolean {
  return value === "" || /^[a-z0-9](?:[a-z0-9_.-]{0,61}[a-z0-9])?$/i.test(value);
}

/** Name of a label, with or without a DNS name and a slash before it. */
export function isLabelKey(value: string): boolean {
  const [name = "", prefix, ...rest] = value.split("/").toReversed();
  return (
    name !== "" && isLabelValue(name) && rest.length === 0 && (prefix === undefined || isResourceName(prefix))
  );
}

/** To whom an object is shown (`exportTo`). */
export function isVisibility(value: string): boolean {
  return ["*", ".", "~"].includes(value) || isNamespace(value);
}

/** `region/zone/subzone`, of which the last may be missing. */
export function isLocality(value: string): boolean {
  return /^[^/]+(?:\/[^/]+){0,2}$/.test(value);
}

/** A region alone. */
export function isRegion(value: string): boolean {
  return /^[^/*]+$/.test(value);
}

/** `region/zone/subzone`, of which the last parts may be missing, or the last one `*`. */
export function isPlace(value: string): boolean {
  return value === "*" || /^[^/*]+(?:\/[^/*]+){0,2}$/.test(value) || /^[^/*]+(?:\/[^/*]+)?\/\*$/.test(value);
}

/** A label by which endpoints are preferred, with the value that counts unless it is the caller's own. */
export function isPriorityLabel(value: string): boolean {
  const [key = "", wanted = "", ...rest] = value.split("=");
  return rest.length === 0 && isLabelKey(key) && isLabelValue(wanted);
}

/** Name of a Kubernetes object: it becomes a part of a SPIFFE ID. */
export function isResourceName(value: string): boolean {
  return (
    value.length <= 253 &&
    /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/.test(value)
  );
}

/** A label of DNS: the name of a port, or of a subset, which is a part of a server name (RFC 1123). */
export function isDnsLabel(value: string): boolean {
  return /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i.test(value);
}

/** A host of a Gateway's server: as it is, or in one namespace (`*` for all, `.` for its own). */
export function isServerHost(value: string): boolean {
  const [host = "", namespace, ...rest] = value.split("/").toReversed();
  if (rest.length > 0 || !isHost(host)) return false;
  return namespace === undefined || ["*", "."].includes(namespace) || isNamespace(namespace);
}

/** Name of a Gateway as a VirtualService has it, with or without its namespace; `mesh` is that of all sidecars. */
export function isGatewayName(value: string): boolean {
  const [name = "", namespace, ...rest] = value.split("/").toReversed();
  if (rest.length > 0 || !isResourceName(name)) return false;
  return namespace === undefined || namespace === "." || isNamespace(namespace);
}

/** Name of a namespace (RFC 1123). */
export function isNamespace(value: string): boolean {
  return value.length <= 63 && /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(value);
}

/** SHA-256 of a public key, as Envoy takes it. */
export function isPublicKeyHash(value: string): boolean {
  return /^[A-Za-z0-9+/]{43}=$/.test(value);
}

/** SHA-256 of a certificate, as Envoy takes it. */
export function isCertificateHash(value: string): boolean {
  return /^[0-9a-f]{64}$/i.test(value) || /^[0-9a-f]{2}(?::[0-9a-f]{2}){31}$/i.test(value);
}

/** A number from 1 to 65535 in its usual form. */
export function isPort(value: string): boolean {
  return /^[1-9]\d{0,4}$/.test(value) && Number(value) <= 65_535;
}

/** A header's name (RFC 9110, section 5.1), or one of HTTP/2's pseudo headers. */
export function isHeaderName(value: string): boolean {
  return value.length <= 256 && /^:?[a-z0-9!#$%&'*+.^_`|~-]+$/i.test(value);
}

/** Where a set of keys may be fetched. */
export function isKeySetUrl(value: string): boolean {
  const url = URL.parse(value);
  return url !== null && /^https?:\/\//i.test(value) && url.username === "" && url.password === "";
}

const unitNs = { us: 1_000n, ms: 1_000_000n, s: 1_000_000_000n, m: 60_000_000_000n, h: 3_600_000_000_000n };

/** Envoy counts nanoseconds in 63 bits. */
const longestMs = 9_223_372_036_000n;

/** A length of time such as `1m30s` in milliseconds; undefined for what is none, or none that Istio and Envoy take. */
export function durationMs(value: string): number | undefined {
  if (value === "0") return 0;
  if (!/^(?:\d{1,20}(?:\.\d{1,20})?(?:us|ms|s|m|h)){1,8}$/.test(value)) return undefined;
  const parts = value.matchAll(/(\d+)(?:\.(\d+))?(us|ms|s|m|h)/g);
  // Parts finer than a nanosecond do not count, as in Go.
  const ns = [...parts].reduce((sum, [, whole = "", fraction = "", unit]) => {
    const perUnit = unitNs[unit as keyof typeof unitNs];
    return sum + BigInt(whole) * perUnit + (BigInt(fraction || 0) * perUnit) / 10n ** BigInt(fraction.length);
  }, 0n);
  const ms = ns / unitNs.ms;
  return ns % unitNs.ms === 0n && ms <= longestMs ? Number(ms) : undefined;
}

/** A length of time in whole milliseconds. */
export function isDuration(value: string): boolean {
  return durationMs(value) !== undefined;
}

/** What the path of a Unix socket comes after. */
export const unixPrefix = "unix://";

/** Where the application behind a sidecar listens. */
export function isDefaultEndpoint(value: string): boolean {
  if (value.startsWith(unixPrefix)) {
    const path = value.slice(unixPrefix.length);
    return (
      /^(?:@.|\/.*[^/]$)/s.test(path) && !path.includes("\0") && Buffer.byteLength(path) <= maxSocketPathBytes
    );
  }
  const [, port = ""] = /^(?:127\.0\.0\.1|0\.0\.0\.0|\[::1\]):(\d+)$/.exec(value) ?? [];
  return isPort(port);
}

/** A length of time that is none of nothing. */
export function isPositiveDuration(value: string): boolean {
  return (durationMs(value) ?? 0) > 0;
}

/** Conditions that Envoy's `retry_on` and `x-envoy-retry-grpc-on` know. */
const retryConditions = new Set([
  ...["5xx", "gateway-error", "reset", "reset-before-request", "connect-failure", "envoy-ratelimited"],
  ...[
    "retriable-4xx",
    "refused-stream",
    "retriable-status-codes",
    "retriable-headers",
    "http3-post-connect-failure",
  ],
  ...["cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable"],
]);

/** Conditions and numbers of statuses that have a name, divided by commas alone. */
export function isRetryOn(value: string): boolean {
  return value
    .split(",")
    .every((part) => retryConditions.has(part) || (/^\d{3}$/.test(part) && part in STATUS_CODES));
}

/** Statuses of gRPC by their numbers. */
export const grpcStatuses: readonly string[] = [
  ...["OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS"],
  ...["PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE"],
  ...["UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"],
];

/** Name of a status of gRPC. */
export function isGrpcStatus(value: string): boolean {
  return grpcStatuses.includes(value);
}

/** Attributes that an AuthorizationPolicy's `when` knows. */
const whenKeys = [
  /^(?:source\.(?:ip|namespace|principal)|remote\.ip)$/,
  /^request\.auth\.(?:principal|audiences|presenter|claims(?:\[[^\]]+\])+)$/,
  /^(?:destination\.(?:ip|port)|connection\.sni)$/,
];

/** One of them, or a header by its name. */
export function isWhenKey(value: string): boolean {
  const header = /^request\.headers\[(.*)\]$/s.exec(value)?.[1];
  return header !== undefined ? isHeaderName(header) : whenKeys.some((form) => form.test(value));
}

/** A namespace of a policy, perhaps with `*`: it becomes a part of a regular expression, whose size Envoy bounds. */
export function isPolicyNamespace(value: string): boolean {
  return value !== "" && Buffer.byteLength(value) <= 253;
}

/** What values of attributes must be, where Envoy does not compare them as text. */
const whenValues: Readonly<
  Record<string, { readonly expected: string; readonly test: (value: string) => boolean }>
> = {
  "source.ip": { expected: ipRangeForm, test: isAddressOrRange },
  "remote.ip": { expected: ipRangeForm, test: isAddressOrRange },
  "destination.ip": { expected: ipRangeForm, test: isAddressOrRange },
  "destination.port": { expected: "a port from 1 to 65535", test: isPort },
  "source.namespace": { expected: policyNamespaceForm, test: isPolicyNamespace },
};

/** What a value of an attribute must be; undefined for one that is that. */
export function whenValueFault(key: string, value: string): string | undefined {
  const form = Object.hasOwn(whenValues, key) ? whenValues[key] : undefined;
  return form === undefined || form.test(value) ? undefined : form.expected;
}

/** Text that Envoy takes where a header may be made of it. */
export function isLine(value: string): boolean {
  return value !== "" && isLineOrEmpty(value);
}

/** The same, or nothing. */
export function isLineOrEmpty(value: string): boolean {
  return !["\0", "\r", "\n"].some((character) => value.includes(character));
}

/** What Envoy writes in place of a word between percent signs, as far as rules use it. */
const headerCommand =
  /%(?:%|(?:START_TIME|HOSTNAME|PROTOCOL|REQUESTED_SERVER_NAME|RESPONSE_CODE|RESPONSE_FLAGS|UPSTREAM_CLUSTER|UPSTREAM_HOST|UPSTREAM_REMOTE_ADDRESS|DOWNSTREAM_(?:REMOTE|LOCAL)_ADDRESS(?:_WITHOUT_PORT)?|DOWNSTREAM_PEER_(?:URI_SAN|SUBJECT)|(?:REQ|RESP)\(:?[A-Za-z0-9_-]+(?:\?:?[A-Za-z0-9_-]+)?\))%)/g;

/** Envoy's bound of a header's value that a rule sets (HeaderValue). */
const maxHeaderValueBytes = 16_384;

/** Value of a header that a rule sets: a percent sign is doubled, unless it begins one of Envoy's commands. */
export function isHeaderValue(value: string): boolean {
  return (
    isLineOrEmpty(value) &&
    Buffer.byteLength(value) <= maxHeaderValueBytes &&
    !value.replaceAll(headerCommand, "").includes("%")
  );
}

/** Envoy's bound of a template of paths (UriTemplateMatchConfig). */
const maxPathTemplateBytes = 256;

/** A path of an AuthorizationPolicy: as it is, with a `*` at one end, or of parts of which `{*}` and `{**}` stand for others. */
export function isPolicyPath(value: string): boolean {
  if (value === "") return false;
  if (!/[{}]/.test(value)) return !value.slice(1, -1).includes("*") && value !== "**";
  const [first, ...parts] = value.split("/");
  const operator = /^\{\*{1,2}\}$/;
  const afterAll = parts.slice(parts.indexOf("{**}") + 1);
  return (
    first === "" &&
    Buffer.byteLength(value) <= maxPathTemplateBytes &&
    parts.every((part) => operator.test(part) || /^[a-zA-Z0-9\-._~%!$&'()+,;:@=]+$/.test(part)) &&
    parts.filter((part) => operator.test(part)).length <= 5 &&
    !(parts.includes("{**}") && afterAll.some((part) => operator.test(part)))
  );
}
