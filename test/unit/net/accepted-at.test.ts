import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { addressDigits, peerPort } from "../../../src/net/accepted-at.ts";
import { parseSocketAddress } from "../../../src/net/original-destination.ts";

describe("the kernel's spellings of addresses", () => {
  test("/proc/net/tcp has each four bytes in reverse", () => {
    assert.equal(addressDigits("10.55.0.1"), "0100370A");
    assert.equal(addressDigits("fd55::1"), "000055FD000000000000000001000000");
    assert.equal(addressDigits("::1"), "00000000000000000000000001000000");
  });

  test("a connection is found by its other end, in a table of either family, and by nothing else", () => {
    const head = "  sl  local_address rem_address   st";
    const row = "   0: 0100007F:3A99 0100370A:D431 01 00000000:00000000 00:00000000 00000000  1337 0 1";
    const mapped = "   1: 0000000000000000FFFF00000100007F:3A9E 0000000000000000FFFF00000100370A:D431 01";
    assert.equal(peerPort([head, row].join("\n"), "0100370A:D431"), 15_001);
    assert.equal(peerPort([head, mapped].join("\n"), "0100370A:D431"), 15_006);
    assert.equal(peerPort([head, row, mapped].join("\n"), "0200370A:D431"), undefined);
    assert.equal(peerPort("", "0100370A:D431"), undefined);
  });

  test("getsockopt gives a sockaddr_in or a sockaddr_in6", () => {
    const four = Buffer.from([2, 0, 0x3a, 0x9a, 127, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert.deepEqual(parseSocketAddress(four), { host: "127.0.0.6", port: 15_002 });
    const six = Buffer.alloc(28);
    six.writeUInt16BE(15_002, 2);
    six.writeUInt8(6, 23);
    assert.deepEqual(parseSocketAddress(six), { host: "::6", port: 15_002 });
  });
});
