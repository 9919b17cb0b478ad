import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { ChunkedBody } from "../../../src/net/chunked-body.ts";

/** What is in it, of pieces of these lengths; undefined while it has no end. */
function decoded(text: string, lengths: readonly number[]): string | undefined {
  const body = new ChunkedBody();
  const bytes = Buffer.from(text, "latin1");
  let whole = "";
  let at = 0;
  for (const length of [...lengths, bytes.length]) {
    const end = Math.min(bytes.length, at + length);
    whole += bytes.toString("latin1", at, body.take(bytes, at, end));
    at = end;
  }
  return body.isDone ? whole : undefined;
}

describe("a body in chunks", () => {
  test("is the same in whichever pieces it comes", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ minLength: 1, maxLength: 40, unit: fc.constantFrom("a", "\r", "\n", "0") })),
        fc.constantFrom("", ";x=1", " "),
        fc.constantFrom("", "a: 1\r\nb: 2\r\n"),
        fc.array(fc.integer({ min: 1, max: 30 })),
        (chunks, extension, trailers, lengths) => {
          const text = chunks.map((chunk) => `${chunk.length.toString(16)}${extension}\r\n${chunk}\r\n`);
          const whole = `${text.join("")}0\r\n${trailers}\r\n`;
          assert.equal(decoded(`${whole}more`, lengths), chunks.join(""));
          assert.equal(decoded(whole.slice(0, -1), lengths), undefined);
        },
      ),
    );
  });

  for (const text of [
    "x\r\n",
    "\r\n",
    "1\na\r\n",
    "1\r\nab\r\n",
    "-1\r\n",
    "0x1\r\na\r\n",
    `1;${"x".repeat(2_000)}`,
    `0\r\n${"a: 1\r\n".repeat(4_000)}`,
    "fffffffffffff\r\n",
  ])
    test(`is refused as ${JSON.stringify(text.slice(0, 20))}`, () => {
      assert.throws(() => decoded(text, []));
    });
});
