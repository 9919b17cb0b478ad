/**
 * Answers from the table, written straight into bytes: this is what an application waits for at each connection.
 */
import { flag, headerBytes, recursionAvailable, type as types } from "../wire/constants.ts";
import type { Query } from "../wire/query.ts";
import { optBytes, writeOpt } from "../wire/reply.ts";
import type { Found } from "./lookup.ts";

/** How answers are made. */
export interface AnswerStyle {
  /** In seconds. */
  readonly ttl: number;
  /** Undefined keeps addresses in the table's order. Else at least 0 and less than 1, anew each time. */
  readonly random: (() => number) | undefined;
}

/** A name that stands at the start of the question, as a pointer (RFC 1035, 4.1.4). */
const questionName = 0xc000 | headerBytes;

const recordBytes = 10;

/**
 * The answer to a query for addresses. Without one of the family that is asked for it is empty and no error: the name
 * exists.
 *
 * @param limit most bytes of it; what does not fit is left out and TC says so
 */
export function writeAnswer(
  message: Buffer,
  query: Query,
  { addresses, target }: Pick<Found, "addresses" | "target">,
  { ttl, random }: AnswerStyle,
  limit: number,
): Buffer {
  const isV4 = query.type === types.a;
  const bytes = isV4 ? 4 : 16;
  const count = isV4 ? addresses.v4 : addresses.v6;
  const first = isV4 ? addresses.start : addresses.start + 4 * addresses.v4;
  const optSpace = query.edns === undefined ? 0 : optBytes;
  const alias = target === undefined || count === 0 ? 0 : 2 + recordBytes + target.length;
  const size = 2 + recordBytes + bytes;
  const room = Math.max(0, Math.floor((limit - query.questionEnd - alias - optSpace) / size));
  const fitting = Math.min(count, room);
  const answer = Buffer.allocUnsafe(query.questionEnd + alias + fitting * size + optSpace);
  message.copy(answer, 0, 0, query.questionEnd);
  answer[2] =
    flag.response |
    flag.authoritative |
    (fitting < count ? flag.truncated : 0) |
    ((message[2] ?? 0) & flag.recursionDesired);
  answer[3] = recursionAvailable;
  writeShort(answer, 4, 1);
  writeShort(answer, 6, fitting + (alias === 0 ? 0 : 1));
  writeShort(answer, 8, 0);
  writeShort(answer, 10, optSpace === 0 ? 0 : 1);
  let at = query.questionEnd;
  let owner = questionName;
  if (target !== undefined && alias !== 0) {
    at = writeFixed(answer, at, owner, types.cname, ttl, target.length);
    owner = 0xc000 | at;
    at += answer.write(target, at, "latin1");
  }
  const order = random === undefined ? undefined : shuffled(count, fitting, random);
  for (let each = 0; each < fitting; each += 1) {
    at = writeFixed(answer, at, owner, query.type, ttl, bytes);
    const from = first + bytes * (order?.[each] ?? each);
    for (let byte = 0; byte < bytes; byte += 1) answer[at + byte] = addresses.bytes[from + byte] ?? 0;
    at += bytes;
  }
  if (optSpace > 0) writeOpt(answer, at);
  return answer;
}

/** Everything of a record before its data; returns where that begins. */
function writeFixed(
  message: Buffer,
  at: number,
  owner: number,
  type: number,
  ttl: number,
  dataBytes: number,
): number {
  writeShort(message, at, owner);
  writeShort(message, at + 2, type);
  writeShort(message, at + 4, 1);
  writeShort(message, at + 6, ttl >>> 16);
  writeShort(message, at + 8, ttl & 0xffff);
  writeShort(message, at + 10, dataBytes);
  return at + 12;
}

function writeShort(message: Buffer, at: number, value: number): void {
  message[at] = value >>> 8;
  message[at + 1] = value & 0xff;
}

/** `fitting` of the numbers below `count`, each as likely as any other in each place; undefined for one in one place. */
function shuffled(count: number, fitting: number, random: () => number): readonly number[] | undefined {
  if (count < 2) return undefined;
  const order = Array.from({ length: count }, (_, index) => index);
  for (let place = 0; place < fitting; place += 1) {
    const other = place + Math.floor(random() * (count - place));
    [order[place], order[other]] = [order[other] ?? 0, order[place] ?? 0];
  }
  return order;
}
