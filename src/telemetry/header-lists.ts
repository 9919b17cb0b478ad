/**
 * Lists of headers in a configuration: what they are for cannot be told by the names of the headers, so every value
 * is taken for a secret whose header is not known to hold none.
 */

/** Names of fields with lists of headers, or of the metadata of a gRPC call. */
const field = String.raw`initial_?metadata|\w{0,40}headers(?:_?to_?\w{1,20})?`;

const fieldName = new RegExp(`^(?:${field})$`, "i");

/** Such a field in JSON, YAML or protobuf text, up to where its list begins. */
const fieldInText = new RegExp(
  String.raw`(?<!\w)(?:${field})\\{0,8}["']?\s*:?(?:\s|\\{1,8}[nrt])*(?=[[{]|- )`,
  "gi",
);

/** Brackets, and the texts that may have some. */
const bracket = /\\"(?:[^"\\]|\\[^"])*\\"|"(?:[^"\\]|\\.)*"|[[\]{}]/g;

/** Headers that hold no secret. */
const harmless =
  /^(?::\w+|host|server|via|date|age|etag|expires|vary|te|origin|location|connection|user-agent|content-[\w-]+|accept(?:-[\w-]+)?|cache-control|last-modified|retry-after|grpc-timeout|strict-transport-security|referrer-policy|permissions-policy|access-control-[\w-]+|x-(?:content-type-options|frame-options|xss-protection|request-id|real-ip|b3-[\w-]+|envoy-[\w-]+|forwarded-(?:for|proto|host|port))|trace(?:parent|state)|b3)$/i;

/** True for a field with a list of headers. */
export function isHeaderList(name: string): boolean {
  return fieldName.test(name);
}

/** True for a header that holds no secret, whoever sends it. */
export function isHarmlessHeader(name: string): boolean {
  return harmless.test(name);
}

/** True for what Envoy puts in itself, such as `%REQ(:path)%`. */
export function isFormatted(value: string): boolean {
  return /^%[A-Z_]+(?:\([^()]*\))?(?::\d+)?%$/.test(value);
}

/** A part of a text; `stop` is its length when the list has no end there. */
interface HeaderList {
  readonly start: number;
  readonly stop: number;
}

/** Where the lists of headers of a text stand. */
export function headerLists(text: string): readonly HeaderList[] {
  if (!/metadata|headers/i.test(text)) return [];
  const found: HeaderList[] = [];
  for (const match of text.matchAll(fieldInText)) {
    const start = match.index + match[0].length;
    if (start < (found.at(-1)?.stop ?? 0)) continue;
    found.push({ start, stop: endOfList(text, start) });
  }
  return found;
}

/** Where the list of headers ends that begins at `start`. */
export function endOfList(text: string, start: number): number {
  return text[start] === "-" ? endOfYaml(text, start) : endOfBrackets(text, start);
}

/** After the bracket that closes the one at `start`. */
function endOfBrackets(text: string, start: number): number {
  let depth = 0;
  bracket.lastIndex = start;
  for (let match = bracket.exec(text); match !== null; match = bracket.exec(text)) {
    if (match[0] === "[" || match[0] === "{") depth += 1;
    else if (match[0] === "]" || match[0] === "}") depth -= 1;
    if (depth === 0) return bracket.lastIndex;
  }
  return text.length;
}

/** The first line that is less far in than the list whose first dash is at `start`, or as far and no item of it. */
function endOfYaml(text: string, start: number): number {
  const indent = start - text.lastIndexOf("\n", start) - 1;
  for (let line = text.indexOf("\n", start); line >= 0; line = text.indexOf("\n", line + 1)) {
    let at = line + 1;
    while (text[at] === " ") at += 1;
    if (at >= text.length || text[at] === "\n") continue;
    const depth = at - line - 1;
    if (depth < indent || (depth === indent && text[at] !== "-")) return line;
  }
  return text.length;
}
