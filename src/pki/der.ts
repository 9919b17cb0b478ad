/**
 * Writing ASN.1 DER (ITU-T X.690), as much of it as a certificate request needs.
 *
 * A full X.509 library costs the agent 13 MiB and 120 ms for the one structure that it has to write.
 */

/** Tags of the universal class. */
const tag = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
} as const;

function encode(tagByte: number, content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([tagByte]), lengthOf(content.length), content]);
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

/** SEQUENCE of finished elements. */
export function sequence(...elements: readonly Uint8Array[]): Buffer {
  return encode(tag.sequence, Buffer.concat(elements));
}

/** SET OF finished elements; sorting is the caller's when there is more than one. */
export function set(...elements: readonly Uint8Array[]): Buffer {
  return encode(tag.set, Buffer.concat(elements));
}

/** A small non-negative INTEGER. */
export function smallInteger(value: number): Buffer {
  return encode(tag.integer, Buffer.from([value]));
}

/** BOOLEAN TRUE. */
export function booleanTrue(): Buffer {
  return Buffer.from([0x01, 0x01, 0xff]);
}

/** BIT STRING of whole bytes. */
export function bitString(content: Uint8Array): Buffer {
  return encode(tag.bitString, Buffer.concat([Buffer.from([0]), content]));
}

/** OCTET STRING. */
export function octetString(content: Uint8Array): Buffer {
  return encode(tag.octetString, content);
}

/** UTF8String. */
export function utf8String(text: string): Buffer {
  return encode(tag.utf8String, Buffer.from(text));
}

/** OBJECT IDENTIFIER from dotted notation. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return encode(tag.objectIdentifier, Buffer.from([first * 40 + second, ...rest].flatMap(base128)));
}

function base128(value: number): number[] {
  const bytes = [value & 0x7f];
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes.unshift((rest & 0x7f) | 0x80);
  return bytes;
}

/** A context-specific element: constructed, or primitive for IMPLICIT simple types. */
export function contextual(number: number, content: Uint8Array, form: "constructed" | "primitive"): Buffer {
  return encode((form === "constructed" ? 0xa0 : 0x80) | number, content);
}

/**
 * The elements of a concatenation, each whole: certificates that follow each other, for one.
 *
 * @throws Error when the bytes are not DER
 */
export function splitDer(bytes: Uint8Array): readonly Buffer[] {
  const all = Buffer.from(bytes);
  const elements: Buffer[] = [];
  for (let start = 0; start < all.length;) {
    const end = elementEnd(all, start);
    elements.push(all.subarray(start, end));
    start = end;
  }
  return elements;
}

function elementEnd(all: Buffer, start: number): number {
  const first = all[start + 1];
  if (first === undefined) throw new Error("the DER ends within an element");
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (lengthBytes > 4 || start + 2 + lengthBytes > all.length || first === 0x80)
    throw new Error("the DER has a length that cannot be read");
  const length = lengthBytes === 0 ? first : all.readUIntBE(start + 2, lengthBytes);
  const end = start + 2 + lengthBytes + length;
  if (end > all.length) throw new Error("the DER ends within an element");
  return end;
}
