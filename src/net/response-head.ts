/** The head of an HTTP/1.1 response (RFC 9112, 4 to 6), for whoever reads its body from the socket itself. */

/** How the body's end is known. */
export type BodyLength =
  | { readonly kind: "bytes"; readonly bytes: number }
  | { readonly kind: "chunked" }
  /** The connection's end. */
  | { readonly kind: "close" };

/** A head. */
export interface ResponseHead {
  readonly status: number;
  /** By name in small letters; what comes several times is joined by commas. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: BodyLength;
  /** Bytes that it takes. */
  readonly length: number;
}

/** Longest head, in bytes: Node.js' own limit. */
export const longestHead = 16_384;

const statusLine = /^HTTP\/1\.[01] ([1-9]\d\d)(?: [^\r\n\0]*)?$/;
const field = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([^\r\n\0]*?)[ \t]*$/;

/**
 * The head at the begin of `bytes`; undefined while it is not whole.
 *
 * @throws Error for what is none, or leaves open where the body ends
 */
export function readResponseHead(bytes: Buffer): ResponseHead | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0 ? bytes.length > longestHead : end > longestHead)
    throw new Error(`the head is longer than ${longestHead} bytes`);
  const [first = "", ...lines] = bytes.toString("latin1", 0, end < 0 ? bytes.length : end).split("\r\n");
  // What speaks another protocol is not waited for.
  if (!"HTTP/1.".startsWith(first.slice(0, 7))) throw new Error("it does not answer in HTTP/1.1");
  if (end < 0) return undefined;
  const [, code] = statusLine.exec(first) ?? [];
  if (code === undefined) throw new Error("it does not answer in HTTP/1.1");
  const status = Number(code);
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name = "", value = ""] = field.exec(line) ?? [];
    if (name === "") throw new Error("a line of the head is no header");
    const key = name.toLowerCase();
    const known = headers.get(key);
    headers.set(key, known === undefined ? value : `${known}, ${value}`);
  }
  return { status, headers, body: bodyLength(status, headers), length: end + 4 };
}

function bodyLength(status: number, headers: ReadonlyMap<string, string>): BodyLength {
  const coding = headers.get("transfer-encoding");
  const length = headers.get("content-length");
  if (status < 200 || status === 204 || status === 304) return { kind: "bytes", bytes: 0 };
  if (coding !== undefined) {
    if (length !== undefined) throw new Error("it says in two ways how long its answer is");
    if (coding.toLowerCase() !== "chunked") throw new Error("its answer has an unknown transfer coding");
    return { kind: "chunked" };
  }
  if (length === undefined) return { kind: "close" };
  // The same one several times is one (RFC 9112, 6.3).
  const [one = "", ...others] = new Set(length.split(",").map((value) => value.trim()));
  if (others.length > 0) throw new Error("it says several lengths of its answer");
  if (!/^\d{1,15}$/.test(one)) throw new Error("the length of its answer is no number");
  return { kind: "bytes", bytes: Number(one) };
}
