/**
 * HTTP/2 as bytes (RFC 9113), so that anything can be said in it: clients refuse to send what is wrong.
 *
 * Header fields are literals that are never indexed and not compressed (RFC 7541, section 6.2.3).
 */
import { grpcFrame } from "./http2-server.ts";

const frameType = {
  data: 0,
  headers: 1,
  resetStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
} as const;
const endStream = 0x1;
const endHeaders = 0x4;

/** A frame of one type on one stream. */
export function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** What a client sends first. */
export const preface: Buffer = Buffer.concat([
  Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  frame(frameType.settings, 0, 0, Buffer.alloc(0)),
]);

/** Frames that end a connection in good order. */
export const goAway: Buffer = frame(frameType.goAway, 0, 0, Buffer.alloc(8));

/** A whole call: its headers, its messages and its end. */
export function grpcCall(
  stream: number,
  path: string,
  messages: readonly Uint8Array[],
  more: Readonly<Record<string, string>> = {},
): Buffer {
  const fields = {
    ":method": "POST",
    ":scheme": "http",
    ":path": path,
    ":authority": "localhost",
    "content-type": "application/grpc",
    te: "trailers",
    ...more,
  };
  const block = Buffer.concat(Object.entries(fields).map(([name, value]) => field(name, value)));
  return Buffer.concat([
    frame(frameType.headers, endHeaders, stream, block),
    ...messages.map((message) => frame(frameType.data, 0, stream, grpcFrame(Buffer.from(message)))),
    frame(frameType.data, endStream, stream, Buffer.alloc(0)),
  ]);
}

/** Frames that mean something to a server, for a fuzzer to put where they should mean nothing. */
export const oddFrames: readonly Buffer[] = [
  frame(frameType.ping, 0, 0, Buffer.alloc(8)),
  frame(frameType.windowUpdate, 0, 0, Buffer.from([0x7f, 0xff, 0xff, 0xff])),
  frame(frameType.windowUpdate, 0, 1, Buffer.alloc(4)),
  frame(frameType.resetStream, 0, 1, Buffer.from([0, 0, 0, 8])),
  frame(frameType.settings, 0, 0, Buffer.from([0, 3, 0, 0, 0, 0])),
  frame(frameType.settings, 0, 0, Buffer.from([0, 4, 0, 0, 0, 0])),
  frame(frameType.settings, 1, 0, Buffer.alloc(0)),
  frame(frameType.headers, endHeaders | endStream, 3, field(":path", "/")),
  frame(frameType.data, 0, 1, Buffer.from([0, 0xff, 0xff, 0xff, 0xff])),
  frame(frameType.data, 0, 1, Buffer.from([1, 0, 0, 0, 1, 0])),
  frame(0xff, 0xff, 0, Buffer.alloc(3)),
  field("grpc-timeout", "99999999H"),
  field("grpc-encoding", "gzip"),
  field("authorization", "Bearer x"),
  field("connection", "x"),
  field("", ""),
];

function field(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from([0x10]), text(name), text(value)]);
}

/** A string literal: its length with a prefix of seven bits, and its octets. */
function text(value: string): Buffer {
  const octets = Buffer.from(value, "latin1");
  const length: number[] = [];
  if (octets.length < 0x7f) length.push(octets.length);
  else {
    length.push(0x7f);
    let rest = octets.length - 0x7f;
    for (; rest >= 0x80; rest >>= 7) length.push((rest & 0x7f) | 0x80);
    length.push(rest);
  }
  return Buffer.concat([Buffer.from(length), octets]);
}
