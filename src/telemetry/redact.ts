/**
 * Takes secrets out of text and JSON before they reach a disk or a person.
 *
 * Envoy's output needs this as much as files do: it prints the whole bootstrap, keys included, when it cannot take
 * it. Redacting too much is the lesser evil, so a doubtful value is taken out.
 */

import { formsExpression } from "./secret-forms.ts";

/** Stands for a secret. */
export const redacted = "[redacted]";

/**
 * Names of fields, headers and variables that hold secrets, in any casing. `token_path` and the like are names of
 * places, see `tellsPlace`.
 */
const secretName =
  /pass(?:word|wd|phrase)|secret|token|private_?key|api_?key|access_?key|credential|authorization|cookie|session_?ticket|bearer|signature|jwt$/;

/** Endings of names that tell where a secret is, or of what kind, not what it is. */
const tellsPlace =
  /(?:path|file|filename|name|names|url|uri|endpoint|type|config|configs|source|audience|audiences|issuer|ttl|expiry|duration|count|seconds|size|format|policy|provider|enabled|required|header|headers|version|hash)$/;

/** Says whether values under a name are secrets. Names repeat, so one text is looked at with one of these. */
function secretNames(): (name: string) => boolean {
  const known = new Map<string, boolean>();
  return (name) => {
    const found = known.get(name) ?? isSecretName(name);
    known.set(name, found);
    return found;
  };
}

/** True when values under `name` are secrets. */
export function isSecretName(name: string): boolean {
  // What is sent as a header of every call is a credential whatever it is called.
  if (/^(?:XDS|CA)_HEADER_|^[A-Z][A-Z0-9_]*_KEY$/.test(name)) return true;
  const plain = name
    .replaceAll(/(?<=[a-z0-9])[A-Z]/g, (letter) => `_${letter}`)
    .toLowerCase()
    .replaceAll(/[-.]/g, "_");
  return secretName.test(plain) && !tellsPlace.test(plain);
}

/**
 * `text` without private keys, tokens, passwords and credentials.
 *
 * @param secrets known values to take out as well
 * @param onSecret hears what the patterns take out
 */
export function redactText(text: string, secrets: readonly string[] = [], onSecret = ignore): string {
  const expression = formsExpression(secrets);
  const known = expression === undefined ? text : text.replaceAll(expression, redacted);
  return redactPatterns(known, onSecret);
}

/** Hears of a secret. */
type OnSecret = (secret: string) => void;

const ignore: OnSecret = () => undefined;

/** Lines that belong together: a secret may stretch over several of them. */
export function redactLines(lines: readonly string[], secrets: readonly string[] = []): readonly string[] {
  return redactText(lines.join("\n"), secrets).split("\n");
}

/**
 * Patterns in order; each takes out the secret, which is its group of that name or all of it, and leaves what says that
 * there was one.
 */
const patterns: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  // A key whose end was cut off takes everything after it along.
  [
    /-----BEGIN ([A-Z0-9 ]*)PRIVATE KEY-----(?:(?!-----BEGIN )[^])*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)/g,
    "[redacted $1private key]",
  ],
  [/\beyJ[\w-]{6,}\.[\w-]{6,}(?:\.[\w-]*)?/g, "[redacted JWT]"],
  [/\b(Bearer|Basic|Negotiate)(\s+)(?![[])(?<secret>[^\s"'\\,;]{4,})/gi, `$1$2${redacted}`],
  [/(\w:\/\/)(?<secret>[^\s:/@"']{16,})(?=@)/g, `$1${redacted}`],
  [/(\w:\/\/[^\s:/@"']*:)(?<secret>[^\s/@"']+)(?=@)/g, `$1${redacted}`],
];

/** A name and what leads to its value on the same line in JSON, YAML, protobuf text, HTTP headers or shell. */
const assignment = /(?<!\w)(["']?)([A-Za-z][\w.-]{0,100})\\?\1(\s*[=:][^\S\n]*)/g;

/** The value after it: quoted, quoted inside a quoted text, or bare. */
const assigned =
  /"(?:[^"\\]|\\.)*(?:"|$)|'[^']*(?:'|$)|\\"(?:[^"\\]|\\[^"])*(?:\\"|$)|[^\s,;{}[\]"'\\][^\s,;}\]"'\\]*/y;

/** `key: "x-api-key", value: "…"`: a header or a piece of metadata. */
const namedValue =
  /((?:["']?)(?:key|name|header|header_name)(?:["']?)\s*:\s*["']([^"']+)["']\s*,?\s*["']?(?:value|raw_value|string_value|header_value)["']?\s*:\s*)("(?:[^"\\]|\\.)*(?:"|$)|'[^']*(?:'|$))/g;

/** Base64 or hexadecimal of at least this length, in mixed characters, is taken for key material. */
const longRun = /(?<![\w+/=-])[A-Za-z0-9+/]{60,}={0,2}(?![\w+/=-])/g;

/** PEM that everybody may see. */
const publicPem =
  /-----BEGIN (CERTIFICATE|CERTIFICATE REQUEST|PUBLIC KEY|X509 CRL)-----(?:(?!-----BEGIN )[^])*?-----END \1-----/g;

/** Most short texts hold nothing that any of the patterns could take out. */
const suspicious = /-----|eyJ|[=:]|\b(?:bearer|basic|negotiate)\s|[A-Za-z0-9+/]{60}/i;

function redactPatterns(text: string, onSecret: OnSecret): string {
  if (!suspicious.test(text)) return text;
  const isSecret = secretNames();
  let result = redactHeadlessKeys(text);
  for (const [pattern, replacement] of patterns) {
    if (onSecret !== ignore)
      for (const match of result.matchAll(pattern)) onSecret(match.groups?.["secret"] ?? match[0]);
    result = result.replaceAll(pattern, replacement);
  }
  result = result.replaceAll(namedValue, (whole: string, before: string, name: string, value: string) => {
    if (!isSecret(name)) return whole;
    onSecret(bareValue(value));
    return `${before}"${redacted}"`;
  });
  result = redactAssignments(result, isSecret, onSecret);
  return outside(result, publicPem, (part) => part.replaceAll(longRun, redactRun));
}

/** A private key whose beginning was cut off: everything before its end that can be a part of it. */
function redactHeadlessKeys(text: string): string {
  let result = "";
  let end = 0;
  for (const match of text.matchAll(/-----END [A-Z0-9 ]*PRIVATE KEY-----/g)) {
    const before = text.slice(end, match.index);
    const hasHead = before.includes("-----BEGIN ");
    result += hasHead
      ? before + match[0]
      : `${before.slice(0, before.length - keyTextAtEnd(before))}[redacted private key]`;
    end = match.index + match[0].length;
  }
  return result + text.slice(end);
}

/** Characters at the end of `text` that are base64, white space or escaped line breaks. */
function keyTextAtEnd(text: string): number {
  let at = text.length;
  while (at > 0 && /[A-Za-z0-9+/=\s\\]/.test(text.charAt(at - 1))) at -= 1;
  return text.length - at;
}

function redactAssignments(text: string, isSecret: (name: string) => boolean, onSecret: OnSecret): string {
  let result = "";
  let end = 0;
  for (const match of text.matchAll(assignment)) {
    const [whole, , name = "", separator = ""] = match;
    // Most names hold no secret: only then is the value looked at, which keeps the time linear.
    if (match.index < end || !(isInline(name) || isSecret(name))) continue;
    const valueAt = match.index + whole.length;
    assigned.lastIndex = valueAt;
    const value = assigned.exec(text)?.[0];
    if (value === undefined || isHarmless(name, value)) continue;
    if (isProse(separator, value, match.index, text)) continue;
    // What is written into a configuration by other names is most often no secret: it is taken out there alone.
    if (!isInline(name) || isSecret(parentOf(text, match.index))) onSecret(bareValue(value));
    result += text.slice(end, valueAt) + replacementOf(value);
    end = valueAt + value.length;
  }
  return result + text.slice(end);
}

/** Envoy's data sources: whatever is written into the configuration itself may be a key. */
export function isInline(name: string): boolean {
  return /^inline_?(?:string|bytes)$/i.test(name);
}

function isHarmless(name: string, value: string): boolean {
  const bare = bareValue(value);
  if (/^(?:true|false|null|\d{1,6})?$|^\[redacted/.test(bare)) return true;
  return isInline(name) && bare.startsWith("-----BEGIN CERTIFICATE");
}

/** The name right before what begins at `at`: of the object around it, where its first field begins there. */
function parentOf(text: string, at: number): string {
  const before = text.slice(Math.max(0, at - 128), at);
  return /([A-Za-z][\w.-]*)\\?["']?\s*[:=]?\s*\{?\s*(?:\\?["'])?$/.exec(before)?.[1] ?? "";
}

/** Without the quotes around it. */
function bareValue(value: string): string {
  return value.replaceAll(/^\\?["']|\\?["']$/g, "");
}

/** A sentence such as "refused the token: expired". A line that begins with the name is configuration. */
function isProse(separator: string, value: string, at: number, text: string): boolean {
  const before = text.slice(text.lastIndexOf("\n", at) + 1, at).trim();
  return separator === ": " && before !== "" && /^[a-z]{1,10}$/.test(value);
}

function replacementOf(value: string): string {
  const quote = /^\\?["']/.exec(value)?.[0] ?? "";
  return `${quote}${redacted}${quote}`;
}

function redactRun(run: string): string {
  const mixed = /[a-z]/.test(run) && /[A-Z]/.test(run) && /\d/.test(run);
  return mixed ? `[redacted ${run.length} characters]` : run;
}

function outside(text: string, kept: RegExp, change: (part: string) => string): string {
  let result = "";
  let end = 0;
  for (const match of text.matchAll(kept)) {
    result += change(text.slice(end, match.index)) + match[0];
    end = match.index + match[0].length;
  }
  return result + change(text.slice(end));
}
