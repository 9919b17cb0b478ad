/**
 * Go's quoted strings (The Go Programming Language Specification, "String literals"), as Kubernetes' downward API
 * writes labels and annotations. JSON's are nearly the same, but know no `\x1b` and no `\a`.
 */

const simple: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  '"': '"',
};

/** A backslash and what it stands for, or characters that need none. */
const elementPattern =
  /[^"\\\n]+|\\(?:([abfnrtv\\"])|x([0-9a-fA-F]{2})|([0-3][0-7]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/u;

/** The text of a literal in double or back quotes; undefined when it is none. */
export function unquoteGo(literal: string): string | undefined {
  const raw = /^`([^`]*)`$/.exec(literal)?.[1];
  if (raw !== undefined) return raw.replaceAll("\r", "");
  if (literal.length < 2 || !literal.startsWith('"') || !literal.endsWith('"')) return undefined;
  const content = literal.slice(1, -1);
  // Bytes may come one by one. No escape is shorter than what it stands for.
  const bytes = Buffer.allocUnsafe(Buffer.byteLength(content));
  let length = 0;
  const element = new RegExp(elementPattern, "uy");
  while (element.lastIndex < content.length) {
    const match = element.exec(content);
    if (match === null) return undefined;
    const [whole, name, hex, octal, short, long] = match;
    const byte = hex === undefined ? octal && Number.parseInt(octal, 8) : Number.parseInt(hex, 16);
    const point = short ?? long;
    if (typeof byte === "number") length = bytes.writeUInt8(byte, length);
    else if (point === undefined)
      length += bytes.write(name === undefined ? whole : (simple[name] ?? ""), length);
    else if (isCodePoint(Number.parseInt(point, 16)))
      length += bytes.write(String.fromCodePoint(Number.parseInt(point, 16)), length);
    else return undefined;
  }
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(0, length));
}

/** Half of a surrogate pair is none. */
function isCodePoint(value: number): boolean {
  return value <= 0x10_ff_ff && (value < 0xd8_00 || value > 0xdf_ff);
}
