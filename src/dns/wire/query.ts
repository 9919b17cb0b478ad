/**
 * A query as it comes in, read from its bytes: what has to be known to answer it, and where it stands.
 */
import { flag, headerBytes, plainUdpBytes, rcode, type as types } from "./constants.ts";
import { maxNameBytes, type WireName } from "./name.ts";
import { skipName } from "./records.ts";

/** A question, and what the query says of the answer that it can take. */
export interface Query {
  readonly kind: "query";
  readonly id: number;
  /** In lower case; the message keeps the case that it was asked in. */
  readonly name: WireName;
  readonly type: number;
  readonly class: number;
  /** Where the question ends, in bytes from the start. */
  readonly questionEnd: number;
  /** Undefined without EDNS. */
  readonly edns: Edns | undefined;
  /** Largest answer over UDP, in bytes. */
  readonly udpBytes: number;
}

/** What an OPT record says (RFC 6891). */
export interface Edns {
  readonly version: number;
  /** DNSSEC records are wanted. */
  readonly wantsDnssec: boolean;
  /** It has options, which may make the answer one of its own. */
  readonly hasOptions: boolean;
}

/** What came of reading one. */
export type QueryReading =
  | Query
  /** No answer to it would be right: it is an answer itself, or too short for one. */
  | { readonly kind: "ignored" }
  | { readonly kind: "bad"; readonly rcode: number };

const scratch = Buffer.alloc(maxNameBytes);

/** Read it; whatever follows the OPT record is of no interest. */
export function readQuery(message: Buffer): QueryReading {
  if (message.length < headerBytes || (byteAt(message, 2) & flag.response) !== 0) return { kind: "ignored" };
  if ((byteAt(message, 2) & 0x78) !== 0) return { kind: "bad", rcode: rcode.notImp };
  const questions = message.readUInt16BE(4);
  // As Istio's agent answers a query that asks nothing.
  if (questions === 0) return { kind: "bad", rcode: rcode.servFail };
  if (questions > 1) return { kind: "bad", rcode: rcode.formErr };
  const nameEnd = lowered(message);
  if (nameEnd === undefined || nameEnd + 4 > message.length) return { kind: "bad", rcode: rcode.formErr };
  const questionEnd = nameEnd + 4;
  const records = readEdns(message, questionEnd);
  if (records === "malformed") return { kind: "bad", rcode: rcode.formErr };
  return {
    kind: "query",
    id: message.readUInt16BE(0),
    name: scratch.toString("latin1", 0, nameEnd - headerBytes),
    type: message.readUInt16BE(nameEnd),
    class: message.readUInt16BE(nameEnd + 2),
    questionEnd,
    edns: records?.edns,
    udpBytes: Math.max(records?.udpBytes ?? 0, plainUdpBytes),
  };
}

/** The question's name in lower case in the scratch buffer; where it ends, or undefined for none. */
function lowered(message: Buffer): number | undefined {
  let at = headerBytes;
  let written = 0;
  for (;;) {
    if (at >= message.length) return undefined;
    const length = byteAt(message, at);
    // A question has no pointers: nothing stands before it.
    if (length > 63 || (length > 0 && written + length + 2 > maxNameBytes)) return undefined;
    scratch[written] = length;
    written += 1;
    at += 1;
    if (length === 0) return at;
    if (at + length > message.length) return undefined;
    for (const end = at + length; at < end; at += 1) {
      const byte = byteAt(message, at);
      scratch[written] = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
      written += 1;
    }
  }
}

function readEdns(
  message: Buffer,
  start: number,
): { readonly edns: Edns; readonly udpBytes: number } | undefined | "malformed" {
  const before = message.readUInt16BE(6) + message.readUInt16BE(8);
  const count = before + message.readUInt16BE(10);
  if (count === 0) return undefined;
  let found: { readonly edns: Edns; readonly udpBytes: number } | undefined;
  let at = start;
  for (let record = 0; record < count; record += 1) {
    const fixed = skipName(message, at);
    if (fixed === undefined || fixed + 10 > message.length) return "malformed";
    const dataBytes = message.readUInt16BE(fixed + 8);
    const end = fixed + 10 + dataBytes;
    if (end > message.length) return "malformed";
    if (record >= before && message.readUInt16BE(fixed) === types.opt) {
      if (found !== undefined || fixed !== at + 1) return "malformed";
      found = {
        edns: {
          version: byteAt(message, fixed + 5),
          wantsDnssec: (byteAt(message, fixed + 6) & 0x80) !== 0,
          hasOptions: dataBytes > 0,
        },
        udpBytes: message.readUInt16BE(fixed + 2),
      };
    }
    at = end;
  }
  return found;
}

function byteAt(message: Buffer, at: number): number {
  return message[at] ?? 0;
}
