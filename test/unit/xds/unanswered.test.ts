import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { type SentResponse, UnansweredResponses } from "../../../src/xds/unanswered.ts";

const sent = (nonce: string, bytes = 1, typeUrl = "clusters"): SentResponse => ({
  ...{ response: { typeUrl, nonce }, bytes },
});

describe("UnansweredResponses", () => {
  test("gives each response once", () => {
    const unanswered = new UnansweredResponses(10);
    unanswered.sent(sent("1"));
    assert.equal(unanswered.answered("2"), undefined);
    assert.deepEqual(unanswered.answered("1"), sent("1"));
    assert.equal(unanswered.answered("1"), undefined);
  });

  test("has those of a type in the order in which they were sent", () => {
    const unanswered = new UnansweredResponses(10);
    for (const one of [sent("1"), sent("2", 1, "routes"), sent("3")]) unanswered.sent(one);
    assert.deepEqual(unanswered.ofType("clusters"), [sent("1"), sent("3")]);
  });

  test("lets go of the oldest when a client answers nothing", () => {
    const unanswered = new UnansweredResponses(10);
    assert.deepEqual([...unanswered.sent(sent("1", 6)), ...unanswered.sent(sent("2", 4))], []);
    assert.deepEqual(unanswered.sent(sent("3", 5)), [sent("1", 6)]);
    assert.deepEqual(unanswered.sent(sent("4", 11)), [sent("2", 4), sent("3", 5), sent("4", 11)]);
  });

  test("holds no more than it may, and loses nothing without a word", () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("sent" as const), nonce: fc.nat(9), bytes: fc.nat(8) }),
      fc.record({ kind: fc.constant("answered" as const), nonce: fc.nat(9) }),
    );
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const unanswered = new UnansweredResponses(12);
        const held = new Map<string, number>();
        for (const one of steps) {
          const nonce = String(one.nonce);
          if (one.kind === "sent") {
            held.set(nonce, one.bytes);
            for (const { response } of unanswered.sent(sent(nonce, one.bytes))) held.delete(response.nonce);
          } else {
            assert.equal(unanswered.answered(nonce)?.bytes, held.get(nonce));
            held.delete(nonce);
          }
          const sum = [...held.values()].reduce((all, bytes) => all + bytes, 0);
          assert.ok(sum <= 12, `${sum} bytes are held`);
          const nonces = unanswered.ofType("clusters").map(({ response }) => response.nonce);
          assert.deepEqual(nonces.toSorted(), [...held.keys()].toSorted());
        }
      }),
    );
  });
});
