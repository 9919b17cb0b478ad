import assert from "node:assert/strict";
import { test } from "node:test";
import { socketsInUse } from "../../../src/net/socket-counts.ts";

const sockstat = `sockets: used 3
TCP: inuse 2 orphan 0 tw 7 alloc 1110 mem 204
UDP: inuse 0 mem 0
`;

test("the kernel's count of a namespace's sockets is read by protocol", () => {
  assert.equal(socketsInUse(sockstat, "TCP"), 2);
  assert.equal(socketsInUse(sockstat, "UDP"), 0);
  assert.equal(socketsInUse("TCP6: inuse 0\nUDP6: inuse 1\n", "TCP6"), 0);
});

test("a protocol that is not there has no count", () => {
  assert.equal(socketsInUse(sockstat, "TCP6"), undefined);
  assert.equal(socketsInUse("", "TCP"), undefined);
});
