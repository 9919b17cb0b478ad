/**
 * Names of addresses (RFC 1035, 3.5 and RFC 3596, 2.5): PTR queries that the table can answer.
 */
import { flag, type as types } from "../wire/constants.ts";
import { dottedName, type WireName } from "../wire/name.ts";
import type { Query } from "../wire/query.ts";
import { emptyReply, withOpt } from "../wire/reply.ts";

const v4Suffix = ".in-addr.arpa";
const v6Suffix = ".ip6.arpa";

/** The bytes of the address that a reverse name is for; undefined for any other name. */
export function reversedAddress(name: WireName): Uint8Array | undefined {
  const dotted = dottedName(name);
  if (dotted.endsWith(v4Suffix)) {
    const parts = dotted.slice(0, -v4Suffix.length).split(".");
    if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256))
      return undefined;
    return Uint8Array.from(parts.map(Number).toReversed());
  }
  if (!dotted.endsWith(v6Suffix)) return undefined;
  const nibbles = dotted.slice(0, -v6Suffix.length).split(".").toReversed();
  if (nibbles.length !== 32 || !nibbles.every((nibble) => /^[\da-f]$/.test(nibble))) return undefined;
  return Uint8Array.from(Buffer.from(nibbles.join(""), "hex"));
}

/** The answer that gives an address's names. */
export function writeNames(
  message: Buffer,
  { edns }: Query,
  names: readonly WireName[],
  ttl: number,
): Buffer {
  const records = names.map((name) => {
    const record = Buffer.alloc(12 + name.length);
    // The owner is the question's name.
    record.writeUInt16BE(0xc00c, 0);
    record.writeUInt16BE(types.ptr, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt32BE(ttl, 6);
    record.writeUInt16BE(name.length, 10);
    record.write(name, 12, "latin1");
    return record;
  });
  const answer = Buffer.concat([emptyReply(message, 0), ...records]);
  answer[2] = (answer[2] ?? 0) | flag.authoritative;
  answer.writeUInt16BE(names.length, 6);
  return edns === undefined ? answer : withOpt(answer);
}
