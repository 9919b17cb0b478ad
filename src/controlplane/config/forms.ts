/**
 * Forms of single values, as Envoy takes them: one value that it refuses would cost all that is pushed with it.
 */
import { isIP } from "node:net";
import { maxSocketPathBytes } from "../../net/unix-socket.ts";

/** An IP address without a zone. */
export function isAddress(value: string): boolean {
  return isIP(value) !== 0 && !value.includes("%");
}

/** A DNS name of at most 253 characters, which may begin with a wildcard (RFC 1123). */
export function isHost(value: string): boolean {
  if (value.length > 253) return false;
  const labels = (value.startsWith("*.") ? value.slice(2) : value).split(".");
  return labels.every((label) => /^[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?$/i.test(label));
}

/** Name of a Kubernetes object: it becomes a part of a SPIFFE ID. */
export function isResourceName(value: string): boolean {
  return (
    value.length <= 253 &&
    /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/.test(value)
  );
}

/** A name that fits into a server name of mutual TLS. */
export function isSubsetName(value: string): boolean {
  return /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i.test(value);
}

/** A number from 1 to 65535 in its usual form. */
export function isPort(value: string): boolean {
  return /^[1-9]\d{0,4}$/.test(value) && Number(value) <= 65_535;
}

/** A header's name (RFC 9110, section 5.1), or one of HTTP/2's pseudo headers. */
export function isHeaderName(value: string): boolean {
  return value.length <= 256 && /^:?[a-z0-9!#$%&'*+.^_`|~-]+$/i.test(value);
}

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** Envoy counts nanoseconds in 63 bits. */
const longestMs = 9_223_372_036_000;

/** A length of time in milliseconds; undefined for what is none, or none that Envoy takes. */
export function durationMs(value: string): number | undefined {
  const [, number, unit] = /^(\d{1,20}(?:\.\d{1,20})?)(ms|s|m|h)$/.exec(value) ?? [];
  if (number === undefined || unit === undefined) return undefined;
  const ms = Number(number) * unitMs[unit as keyof typeof unitMs];
  return ms === 0 || (ms >= 1 && ms <= longestMs) ? ms : undefined;
}

/** A length of time, from a millisecond on. */
export function isDuration(value: string): boolean {
  return durationMs(value) !== undefined;
}

/** Escapes that only JavaScript knows, looking around, and more than a thousand repetitions. */
const notInRe2 = /\\(?![afnrtvxdDsSwWbBAzpPQEC0])\w|\(\?(?:[=!]|<[=!])|\{(?!1000[,}])\d{4}/;

/** A regular expression that RE2 takes, as far as JavaScript can tell. */
export function isRe2(value: string): boolean {
  // Escapes are pairs: after this a backslash escapes what follows it.
  if (notInRe2.test(value.replaceAll("\\\\", ""))) return false;
  // What RE2 writes otherwise: names of groups, and flags for all that follows.
  const translated = value.replaceAll("(?P<", "(?<").replaceAll(/\(\?[imsU-]+\)/g, "");
  try {
    return new RegExp(translated).source !== "";
  } catch {
    return false;
  }
}

/** Where the application behind a sidecar listens. */
export function isDefaultEndpoint(value: string): boolean {
  if (value.startsWith("unix:")) {
    const path = value.slice("unix:".length);
    return path !== "" && !path.includes("\0") && Buffer.byteLength(path) <= maxSocketPathBytes;
  }
  const [, port = ""] = /^(?:127\.0\.0\.1|0\.0\.0\.0|\[::1\]):(\d+)$/.exec(value) ?? [];
  return isPort(port);
}
