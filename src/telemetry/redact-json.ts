/**
 * Takes secrets out of JSON by structure: the names around a value say what it is.
 */
import { isFormatted, isHarmlessHeader, isHeaderList } from "./header-lists.ts";
import { redacted, redactText } from "./redact.ts";
import { isInline, isSecretName } from "./secret-names.ts";

/** Longest text that is parsed as JSON, in characters; parsing more would hold up the agent. */
const parsedLength = 2 ** 16;

/** A document as text: JSON by its structure, everything else by its patterns. */
export function redactDocument(text: string, secrets: readonly string[] = []): string {
  if (text.length <= parsedLength && /^\s*[[{]/.test(text)) {
    try {
      return `${JSON.stringify(redactJson(JSON.parse(text), secrets), undefined, 2)}\n`;
    } catch {
      // Not JSON after all.
    }
  }
  return redactText(text, secrets);
}

/** A copy of `value` without its secrets. */
export function redactJson(value: unknown, secrets: readonly string[] = []): unknown {
  return redactValue(value, { inSecret: false, inHeaders: false }, secrets);
}

/** What the names around a value say of it. */
interface Place {
  readonly inSecret: boolean;
  /** It is a list of headers, or an item of one. */
  readonly inHeaders: boolean;
}

function redactValue(value: unknown, place: Place, secrets: readonly string[]): unknown {
  if (typeof value === "string") return redactString(value, place.inSecret, secrets);
  if (typeof value === "number") return place.inSecret && value > 999_999 ? redacted : value;
  if (Array.isArray(value)) return value.map((item: unknown) => redactValue(item, place, secrets));
  if (typeof value !== "object" || value === null) return value;
  // A date and the like: JSON has what they say of themselves.
  if ("toJSON" in value && typeof value.toJSON === "function")
    return redactValue(value.toJSON(), place, secrets);
  const name = nameOf(value);
  const named = isSecretName(name) || (place.inHeaders && name !== "" && !isHarmlessHeader(name));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]: [string, unknown]) => {
      const ofName = named && valueKeys.has(key) && !(typeof item === "string" && isFormatted(item));
      const secret = isSecretName(key) || ofName || isInline(key);
      const inner = {
        // Objects inside a secret tell where it is; what is written into them is told by its own name.
        inSecret: secret && !isObject(item),
        inHeaders: isHeaderList(key) || (place.inHeaders && key === "header"),
      };
      return [redactText(key, secrets), redactValue(item, inner, secrets)];
    }),
  );
}

function redactString(text: string, inSecret: boolean, secrets: readonly string[]): string {
  if (inSecret && text !== "" && !text.startsWith("-----BEGIN CERTIFICATE")) return redacted;
  return redactText(text, secrets);
}

/** Where Envoy's headers and metadata have what belongs to their `key` or `name`. */
const valueKeys: ReadonlySet<string> = new Set([
  "value",
  "raw_value",
  "string_value",
  "header_value",
  "rawValue",
  "stringValue",
  "headerValue",
]);

function nameOf(value: object): string {
  for (const key of ["key", "name", "header", "header_name", "headerName"]) {
    const name = (value as Readonly<Record<string, unknown>>)[key];
    if (typeof name === "string") return name;
  }
  return "";
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
