/**
 * The configuration as JSON, without its secrets: maps and sets as what they hold, bytes as their number.
 */
import { redactJson } from "../telemetry/redact-json.ts";

/** @param secrets those that are known by their values */
export function shownConfig(config: object, secrets: readonly string[]): object {
  return Object(redactJson(plain(config), secrets)) as object;
}

/** A copy that JSON can write. */
function plain(value: unknown): unknown {
  if (value instanceof Map)
    return Object.fromEntries(
      [...value].map(([key, item]: [unknown, unknown]) => [String(key), plain(item)]),
    );
  if (value instanceof Set) return [...value].map(plain);
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]: [string, unknown]) => [key, plain(item)]),
  );
}
