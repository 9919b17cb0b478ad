/**
 * The forms in which a secret stands in text: as it is, escaped for JSON or protobuf text, in a URL, in Base64.
 */

/** Shortest value that is looked for by itself: a shorter one would take innocent words out. */
const shortest = 8;

/** Shortest one with at least two kinds of characters, such as letters and digits. */
const shortestMixed = 6;

/** Shortest line of a longer secret that is looked for by itself, as output comes line by line. */
const shortestLine = 16;

/** Words that are the value of many things. */
const common: ReadonlySet<string> = new Set([
  ...["localhost", "disabled", "enabled", "automatic", "anonymous", "kubernetes", "cluster.local"],
  ...["undefined", "required", "optional", "password", "redacted", "[redacted]", "application"],
]);

/** True for a value that stands for itself wherever it occurs. Others are taken out by the names beside them alone. */
export function isDistinctive(value: string): boolean {
  if (common.has(value.toLowerCase())) return false;
  // Places, numbers and durations are the value of many things too.
  if (/^(?:\.{0,2}\/[\w./-]*|[\d.]{1,9}[a-z]{0,2}|[\d.:]+)$/.test(value)) return false;
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^a-zA-Z0-9]/].filter((kind) => kind.test(value)).length;
  return value.length >= shortest || (kinds > 1 && value.length >= shortestMixed);
}

/** An expression that finds every form of the values that are distinctive; undefined when there are none. */
export function formsExpression(values: Iterable<string>): RegExp | undefined {
  const forms = new Set<string>();
  for (const value of values)
    for (const piece of piecesOf(value)) for (const form of formsOf(piece)) forms.add(form);
  if (forms.size === 0) return undefined;
  // The longest first: one may begin as another does.
  const sorted = [...forms].toSorted((one, other) => other.length - one.length);
  return new RegExp(sorted.map((form) => form.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")).join("|"), "g");
}

/** The value, and its lines where it has several. */
function piecesOf(value: string): readonly string[] {
  const whole = value.trim();
  const lines = whole.split(/\r?\n/).map((line) => line.trim());
  const long = lines.filter((line) => line.length >= shortestLine && !line.startsWith("-----"));
  return [...(isDistinctive(whole) ? [whole] : []), ...(lines.length > 1 ? long : [])];
}

function formsOf(value: string): readonly string[] {
  const json = inJson(value);
  const url = inUrl(value);
  const base64 = inBase64(value);
  return [
    ...[value, json, inJson(json), inProtobuf(value), value.replaceAll("'", "''")],
    ...[url, url.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()), url.replaceAll("%20", "+")],
    ...base64,
    ...base64.map((form) => form.replaceAll("+", "-").replaceAll("/", "_")),
  ];
}

function inJson(value: string): string {
  return JSON.stringify(value).slice(1, -1);
}

function inUrl(value: string): string {
  try {
    return encodeURIComponent(value);
  } catch {
    // Half of a surrogate pair.
    return value;
  }
}

/** C's escapes, bytes beyond ASCII in octal (protobuf's text format). */
function inProtobuf(value: string): string {
  const named: Readonly<Record<string, string>> = {
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    '"': '\\"',
    "'": "\\'",
    "\\": "\\\\",
  };
  return [...Buffer.from(value)]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      if (named[character] !== undefined) return named[character];
      return byte >= 0x20 && byte < 0x7f ? character : `\\${byte.toString(8).padStart(3, "0")}`;
    })
    .join("");
}

/** Three of them, as three bytes become four characters; without those that depend on what stands around the value. */
function inBase64(value: string): readonly string[] {
  const bytes = Buffer.from(value);
  return [0, 1, 2].flatMap((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes])
      .toString("base64")
      .replaceAll("=", "");
    const start = [0, 2, 3][before] ?? 0;
    const end = (before + bytes.length) % 3 === 0 ? text.length : text.length - 1;
    const inner = text.slice(start, end);
    return inner.length >= shortest ? [inner] : [];
  });
}
