import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readResponseHead } from "../../../src/net/response-head.ts";

const text = (...lines: readonly string[]): Buffer => Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");

describe("the head of a response", () => {
  const bodies: readonly (readonly [lines: readonly string[], body: object])[] = [
    [["HTTP/1.1 200 OK"], { kind: "close" }],
    [["HTTP/1.0 200"], { kind: "close" }],
    [["HTTP/1.1 200 OK", "Content-Length: 12"], { kind: "bytes", bytes: 12 }],
    [["HTTP/1.1 200 OK", "content-length:\t0 "], { kind: "bytes", bytes: 0 }],
    [["HTTP/1.1 200 OK", "content-length: 3", "Content-Length: 3"], { kind: "bytes", bytes: 3 }],
    [["HTTP/1.1 200 OK", "content-length: 3,3 , 3"], { kind: "bytes", bytes: 3 }],
    [["HTTP/1.1 200 OK", "Transfer-Encoding: Chunked"], { kind: "chunked" }],
    [["HTTP/1.1 204 No Content", "content-length: 5"], { kind: "bytes", bytes: 0 }],
    [["HTTP/1.1 100 Continue"], { kind: "bytes", bytes: 0 }],
  ];
  for (const [lines, body] of bodies)
    test(`says where the body ends: ${lines.join(", ")}`, () => {
      const bytes = text(...lines);
      const head = readResponseHead(Buffer.concat([bytes, Buffer.from("body")]));
      assert.deepEqual(head?.body, body);
      assert.equal(head.length, bytes.length);
    });

  const wrong: readonly (readonly [what: string, bytes: Buffer, reason?: RegExp])[] = [
    ["another protocol", Buffer.from("220 smtp\r\n")],
    ["another version", text("HTTP/2 200 OK")],
    ["no status", text("HTTP/1.1 OK")],
    ["a status of two digits", text("HTTP/1.1 20 OK")],
    ["a line without a name", text("HTTP/1.1 200 OK", "x")],
    ["a blank before the colon", text("HTTP/1.1 200 OK", "content-length : 1")],
    ["a line that goes on", text("HTTP/1.1 200 OK", "a: 1", " 2")],
    ["a newline alone", text("HTTP/1.1 200 OK\ncontent-length: 1")],
    ["two lengths", text("HTTP/1.1 200 OK", "content-length: 1", "content-length: 2"), /several lengths/],
    ["two lengths in one", text("HTTP/1.1 200 OK", "content-length: 1, 2"), /several lengths/],
    ["one length of two", text("HTTP/1.1 200 OK", "content-length: 1,"), /several lengths/],
    ["a length and chunks", text("HTTP/1.1 200 OK", "content-length: 1", "transfer-encoding: chunked")],
    ["another coding", text("HTTP/1.1 200 OK", "transfer-encoding: gzip, chunked")],
    ["no end", Buffer.from(`HTTP/1.1 200 OK\r\n${"a: 1\r\n".repeat(3_000)}`)],
    ["a length that is none", text("HTTP/1.1 200 OK", "content-length: -1"), /no number/],
    ["an empty length", text("HTTP/1.1 200 OK", "content-length:"), /no number/],
  ];
  for (const [what, bytes, reason = /./] of wrong)
    test(`is refused with ${what}`, () => {
      assert.throws(() => readResponseHead(bytes), { message: reason });
    });

  test("is waited for until it is whole", () => {
    const whole = text("HTTP/1.1 200 OK", "a: 1", "A: 2");
    for (let length = 0; length < whole.length; length += 1)
      assert.equal(readResponseHead(whole.subarray(0, length)), undefined);
    assert.equal(readResponseHead(whole)?.headers.get("a"), "1, 2");
  });
});
