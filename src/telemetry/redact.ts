/**
 * Takes secrets out of text and JSON before they reach a disk or a person.
 *
 * Envoy's output needs this as much as files do: it prints the whole bootstrap, keys included, when it cannot take
 * it. Redacting too much is the lesser evil, so a doubtful value is taken out.
 */

import { headerLists, isFormatted, isHarmlessHeader } from "./header-lists.ts";
import { formsExpression } from "./secret-forms.ts";
import { isInline, isSecretAssignment, secretNames } from "./secret-names.ts";
import { redactUrls } from "./secret-urls.ts";

/** Stands for a secret. */
export const redacted = "[redacted]";

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
];

/** A name and what leads to its value on the same line in JSON, YAML, protobuf text, HTTP headers or shell. */
const assignment = /(?<!\w)(["']?)([A-Za-z][\w.-]{0,100})\\?\1(\s*[=:][^\S\n]*)/g;

/** A quoted text, also inside a quoted text. */
const quoted = String.raw`"(?:[^"\\]|\\.)*(?:"|$)|'[^']*(?:'|$)|\\"(?:[^"\\]|\\[^"])*(?:\\"|$)`;

/** The value after it: quoted, in the braces of a connection string, or bare. */
const assigned = new RegExp(String.raw`${quoted}|(?<==)\{[^{}\s"':]+\}|[^\s,;{}[\]"'\\][^\s,;}\]"'\\]*`, "y");

/** White space, also inside a quoted text. */
const space = String.raw`(?:\s|\\{1,8}[nrt])*`;
const quote = String.raw`\\{0,8}["']?`;
const naming = String.raw`(?:key|name|header|header_?[nN]ame)${quote}\s*:\s*${quote}([^\s"'\\,;{}[\]]{1,128})${quote}`;
const valuing = String.raw`(?:value|raw_?[vV]alue|string_?[vV]alue|header_?[vV]alue)${quote}\s*:\s*`;

/** `key: "x-api-key", value: "…"`: a header or a piece of metadata. */
const namedValue = new RegExp(
  String.raw`((?<!\w)${naming}${space}(?:,${space})?${quote}${valuing})(${quoted}|[^\s,;{}[\]"'\\][^\n,;}\]"'\\]*)`,
  "g",
);

/** The same the other way round. */
const valueNamed = new RegExp(
  String.raw`((?<!\w)${valuing})(${quoted}|[^\s,;{}[\]"'\\][^\s,;}\]"'\\]{0,512})(${space}(?:,${space})?${quote}${naming})`,
  "g",
);

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
  result = redactUrls(result, isSecret, (secret, isLearnt = true) => {
    if (isLearnt) onSecret(secret);
    return redacted;
  });
  result = redactNamedValues(result, isSecret, onSecret);
  result = redactAssignments(result, isSecret, onSecret);
  return outside(result, publicPem, (part) => part.replaceAll(longRun, redactRun));
}

function redactNamedValues(text: string, isSecret: (name: string) => boolean, onSecret: OnSecret): string {
  const change = (part: string, isTaken: (name: string) => boolean): string => {
    const changed = (name: string, value: string): string => {
      const bare = bareValue(value);
      if (!isTaken(name) || bare === "" || bare.startsWith("[redacted") || isFormatted(bare)) return value;
      // A common word must not vanish from everywhere because some header has it.
      if (isSecret(name) || bare.length >= 16 || !/^[a-z]+(?:[-._][a-z]+)*$/i.test(bare)) onSecret(bare);
      return replacementOf(value);
    };
    return part
      .replaceAll(
        namedValue,
        (_, before: string, name: string, value: string) => `${before}${changed(name, value)}`,
      )
      .replaceAll(
        valueNamed,
        (_, before: string, value: string, after: string, name: string) =>
          `${before}${changed(name, value)}${after}`,
      );
  };
  let result = "";
  let end = 0;
  for (const { start, stop } of headerLists(text)) {
    result += change(text.slice(end, start), isSecret);
    result += change(text.slice(start, stop), (name) => isSecret(name) || !isHarmlessHeader(name));
    end = stop;
  }
  return result + change(text.slice(end), isSecret);
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
    const valueAt = match.index + whole.length;
    const isTaken = isInline(name) || isSecret(name) || isSecretAssignment(name, text.charAt(valueAt));
    if (match.index < end || !isTaken) continue;
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
