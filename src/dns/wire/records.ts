/**
 * The records of a message, as far as somebody between a client and a server has to look at them.
 */
import { headerBytes, type as types } from "./constants.ts";
import { maxNameBytes } from "./name.ts";

/** Where a record stands, in bytes from the message's start. */
export interface RecordPlace {
  readonly section: "answer" | "authority" | "additional";
  readonly type: number;
  readonly start: number;
  readonly ttlAt: number;
  readonly dataAt: number;
  readonly end: number;
}

/** More records than any sane message has. */
const maxRecords = 4_096;

/** Where the name that begins at `at` ends; undefined where it does not. Pointers are not followed. */
export function skipName(message: Buffer, at: number, takesPointers = true): number | undefined {
  for (let here = at; here < message.length && here - at < maxNameBytes;) {
    const length = message[here] ?? 0;
    if (length === 0) return here + 1;
    if (length >= 0xc0 && takesPointers) return here + 2 <= message.length ? here + 2 : undefined;
    if (length > 63) return undefined;
    here += 1 + length;
  }
  return undefined;
}

/** Where the one question ends; undefined for a message without exactly one. */
export function questionEndOf(message: Buffer): number | undefined {
  if (message.length < headerBytes || message.readUInt16BE(4) !== 1) return undefined;
  // Nothing stands before it that it could point at.
  const nameEnd = skipName(message, headerBytes, false);
  return nameEnd === undefined || nameEnd + 4 > message.length ? undefined : nameEnd + 4;
}

/** Every record after the question; undefined for a message that lies about its length. */
export function recordsOf(message: Buffer, questionEnd: number): readonly RecordPlace[] | undefined {
  const answers = message.readUInt16BE(6);
  const authorities = answers + message.readUInt16BE(8);
  const count = authorities + message.readUInt16BE(10);
  if (count > maxRecords) return undefined;
  const records: RecordPlace[] = [];
  let at = questionEnd;
  for (let index = 0; index < count; index += 1) {
    const fixed = skipName(message, at);
    if (fixed === undefined || fixed + 10 > message.length) return undefined;
    const end = fixed + 10 + message.readUInt16BE(fixed + 8);
    if (end > message.length) return undefined;
    records.push({
      section: index < answers ? "answer" : index < authorities ? "authority" : "additional",
      type: message.readUInt16BE(fixed),
      start: at,
      ttlAt: fixed + 4,
      dataAt: fixed + 10,
      end,
    });
    at = end;
  }
  return records;
}

/** False for a message that lies about its length: not as many records are in it as it says. */
export function isWhole(message: Buffer, questionEnd: number): boolean {
  const count = message.readUInt16BE(6) + message.readUInt16BE(8) + message.readUInt16BE(10);
  let at = questionEnd;
  for (let index = 0; index < count; index += 1) {
    const fixed = skipName(message, at);
    if (fixed === undefined || fixed + 10 > message.length) return false;
    at = fixed + 10 + message.readUInt16BE(fixed + 8);
    if (at > message.length) return false;
  }
  return true;
}

/** True for the pseudo-record of EDNS, whose TTL is none. */
export function isOpt({ type, section }: RecordPlace): boolean {
  return type === types.opt && section === "additional";
}
