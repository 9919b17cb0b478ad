/**
 * Answers that are made of a message that is there already: without records, or with fewer.
 */
import { ednsUdpBytes, flag, headerBytes, recursionAvailable, type as types } from "./constants.ts";
import { isOpt, questionEndOf, type RecordPlace, recordsOf } from "./records.ts";

/** Bytes of an OPT record without options. */
export const optBytes = 11;

/** An answer without records: the question comes back as it was asked, if it could be read. */
export function emptyReply(query: Buffer, rcode: number): Buffer {
  const end = questionEndOf(query) ?? headerBytes;
  const reply = Buffer.alloc(end);
  query.copy(reply, 0, 0, end);
  reply[2] = flag.response | ((query[2] ?? 0) & 0x79);
  reply[3] = recursionAvailable | rcode;
  reply.writeUInt16BE(end === headerBytes ? 0 : 1, 4);
  reply.fill(0, 6, headerBytes);
  return reply;
}

/** Write an OPT record without options; returns where it ends. */
export function writeOpt(message: Buffer, at: number): number {
  message[at] = 0;
  message.writeUInt16BE(types.opt, at + 1);
  message.writeUInt16BE(ednsUdpBytes, at + 3);
  message.writeUInt32BE(0, at + 5);
  message.writeUInt16BE(0, at + 9);
  return at + optBytes;
}

/** The message with an OPT record at its end. */
export function withOpt(message: Buffer): Buffer {
  const longer = Buffer.alloc(message.length + optBytes);
  message.copy(longer);
  writeOpt(longer, message.length);
  longer.writeUInt16BE(message.readUInt16BE(10) + 1, 10);
  return longer;
}

/** The message without its OPT record, which a client that sent none must not get. */
export function withoutOpt(message: Buffer): Buffer {
  const end = questionEndOf(message);
  const records = end === undefined ? undefined : recordsOf(message, end);
  const opt = records?.at(-1);
  // Elsewhere than at the end it cannot be cut out: what follows may be pointed at.
  if (opt === undefined || !isOpt(opt)) return message;
  const shorter = Buffer.from(message.subarray(0, opt.start));
  shorter.writeUInt16BE(message.readUInt16BE(10) - 1, 10);
  return shorter;
}

/**
 * At most `maxBytes` of it: whole records of the answer as far as they fit, and the OPT record; TC says that there is
 * more (RFC 2181, 9).
 */
export function truncated(message: Buffer, maxBytes: number): Buffer {
  if (message.length <= maxBytes) return message;
  const questionEnd = questionEndOf(message);
  if (questionEnd === undefined) return markedShort(message.subarray(0, headerBytes));
  const records = recordsOf(message, questionEnd);
  if (records === undefined) {
    // One that lies about its length is good for this alone: the client asks again over TCP.
    const question = markedShort(message.subarray(0, questionEnd));
    question.writeUInt16BE(1, 4);
    return question;
  }
  const opt = records.find(isOpt);
  const room = maxBytes - (opt === undefined ? 0 : opt.end - opt.start);
  const kept = records.filter(({ section, end }) => section === "answer" && end <= room);
  const end = (kept.at(-1) satisfies RecordPlace | undefined)?.end ?? questionEnd;
  const parts = [
    message.subarray(0, end),
    ...(opt === undefined ? [] : [message.subarray(opt.start, opt.end)]),
  ];
  const shorter = markedShort(Buffer.concat(parts));
  shorter.writeUInt16BE(1, 4);
  shorter.writeUInt16BE(kept.length, 6);
  shorter.writeUInt16BE(opt === undefined ? 0 : 1, 10);
  return shorter;
}

function markedShort(message: Buffer): Buffer {
  const copy = Buffer.from(message);
  copy[2] = (copy[2] ?? 0) | flag.truncated;
  copy.fill(0, 4, headerBytes);
  return copy;
}
