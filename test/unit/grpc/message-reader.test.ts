import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { MessageReader } from "../../../src/grpc/message-reader.ts";
import { framed } from "../../../src/grpc/outbound.ts";

/** Pieces of `bytes` between the cuts. */
function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

function everyMessage(reader: MessageReader): Buffer[] {
  const messages: Buffer[] = [];
  for (let message = reader.next(); message !== undefined; message = reader.next()) messages.push(message);
  return messages;
}

const bytes = fc.uint8Array({ maxLength: 40_000 });
const cuts = fc.array(fc.nat(), { maxLength: 30 });

describe("MessageReader", () => {
  test("gives back what was framed, wherever the bytes are cut", () => {
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 8 }), cuts, (messages, at) => {
        const reader = new MessageReader();
        const read: Buffer[] = [];
        for (const piece of pieces(Buffer.concat([...framed(messages)]), at)) {
          reader.push(piece);
          read.push(...everyMessage(reader));
        }
        assert.deepEqual(
          read.map((message) => message.toString("hex")),
          messages.map((message) => Buffer.from(message).toString("hex")),
        );
        assert.ok(reader.isEmpty);
      }),
    );
  });

  test("takes any bytes: it gives messages, waits or refuses, and never gives more than came", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4_000 }), cuts, (noise, at) => {
        const reader = new MessageReader();
        let given = 0;
        try {
          for (const piece of pieces(Buffer.from(noise), at)) {
            reader.push(piece);
            for (const { length } of everyMessage(reader)) given += length;
          }
        } catch (error) {
          assert.match(String(error), /UNIMPLEMENTED|INTERNAL/);
        }
        assert.ok(given <= noise.length);
      }),
    );
  });

  test("takes no memory for a length that is only announced", () => {
    const reader = new MessageReader();
    const before = process.memoryUsage().arrayBuffers;
    reader.push(Buffer.from("00ffffffff00", "hex"));
    assert.equal(reader.next(), undefined);
    assert.ok(process.memoryUsage().arrayBuffers - before < 8_388_608);
    assert.equal(reader.isEmpty, false);
  });

  test("grows with a large message, and gives it whole", () => {
    const message = Buffer.alloc(20_000_000, "0123456789");
    const reader = new MessageReader();
    const read: Buffer[] = [];
    for (const piece of framed([message])) {
      for (let at = 0; at < piece.length; at += 16_384) {
        reader.push(Buffer.from(piece.subarray(at, at + 16_384)));
        read.push(...everyMessage(reader));
      }
    }
    assert.equal(read.length, 1);
    assert.ok(read[0]?.equals(message));
  });

  test("does not keep a large chunk for a small message of it", () => {
    const reader = new MessageReader();
    reader.push(Buffer.concat([...framed([Buffer.from("small"), Buffer.alloc(60_000)])]));
    assert.ok((reader.next()?.buffer.byteLength ?? Infinity) <= Buffer.poolSize);
  });

  const refused = [
    ["01 00000001 78", "UNIMPLEMENTED", /compressed/],
    ["02 00000001 78", "INTERNAL", /begins with 2/],
    ["50 52492a20", "INTERNAL", /begins with 80/],
  ] as const;
  for (const [hex, code, details] of refused) {
    test(`refuses ${hex}`, () => {
      const reader = new MessageReader();
      reader.push(Buffer.from(hex.replaceAll(" ", ""), "hex"));
      assert.throws(() => reader.next(), { code, details });
    });
  }
});
