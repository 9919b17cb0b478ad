import assert from "node:assert/strict";
import { test } from "node:test";
import { peersKnown, peersSeen } from "../../../../src/agent/problems/peers.ts";

test("an Envoy that does not answer leaves what was counted, and one that has refused nobody has no counts", () => {
  const counts = {
    ...({ side: "cluster", name: "outbound|443||db" } as const),
    ...{ unverified: 3, wrongName: 0, missing: 0, handshakes: 1 },
  };
  const book = peersSeen(new Map(), [counts], 0);
  assert.equal(peersKnown(book, undefined), book);
  assert.deepEqual(peersKnown(book, false), new Map());
  assert.equal(peersKnown(book, true), undefined);
});
