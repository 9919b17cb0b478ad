import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isOwnNonce, ownNonce, OwnResponses, withoutOwnNonce } from "../../../src/xds/own-response.ts";
import { type AdsProtocol, delta, stateOfTheWorld } from "../../../src/xds/protocol.ts";
import * as messages from "../../support/xds-messages.ts";

const typeUrl = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig";
const before = { names: ["a", "b"], nonce: "7" };

function passedOn(
  protocol: AdsProtocol,
  encoding: messages.Encoding,
  changes: Partial<messages.Message>,
): ReturnType<AdsProtocol["readRequest"]> | undefined {
  const message = encoding.request({ typeUrl, nonce: ownNonce(3), ...changes });
  const passed = withoutOwnNonce(protocol, message, protocol.readRequest(message), before);
  return passed === undefined ? undefined : protocol.readRequest(passed);
}

test("a nonce of the agent's is told from any other", () => {
  assert.ok(isOwnNonce(ownNonce(1)));
  for (const nonce of ["", "1", "cached-1", "x-outrider-1"]) assert.ok(!isOwnNonce(nonce), nonce);
});

describe("an answer to a response of the agent's", () => {
  test("stays with the agent when it says nothing else, be it a refusal or not", () => {
    for (const error of [undefined, "no such runtime"]) {
      const refusal = error === undefined ? {} : { error };
      assert.equal(passedOn(delta, messages.delta, refusal), undefined);
      assert.equal(passedOn(stateOfTheWorld, messages.sotw, { ...refusal, names: ["b", "a"] }), undefined);
    }
  });

  test("goes on without what is the agent's when Envoy asks for something else in it", () => {
    const error = "no such runtime";
    for (const changes of [{ names: ["c"] }, { unsubscribed: ["a"] }]) {
      const passed = passedOn(delta, messages.delta, { ...changes, error });
      assert.deepEqual([passed?.nonce, passed?.error], ["", undefined]);
      assert.deepEqual(passed?.names, changes.names ?? []);
      assert.deepEqual(passed?.unsubscribed, changes.unsubscribed ?? []);
    }
    for (const names of [["a"], ["a", "b", "c"], ["a", "c"]]) {
      const passed = passedOn(stateOfTheWorld, messages.sotw, { names, error });
      assert.deepEqual([passed?.nonce, passed?.error, passed?.names], ["7", undefined, names]);
    }
  });
});

describe("the agent's responses on a stream", () => {
  for (const [protocol, encoding] of [
    [delta, messages.delta],
    [stateOfTheWorld, messages.sotw],
  ] as const) {
    test(`are never heard of by the control plane with ${encoding.method}`, () => {
      const own = new OwnResponses(protocol);
      const passedFor = (message: Buffer): Buffer | undefined =>
        own.requested(message, protocol.readRequest(message));
      const first = encoding.request({ typeUrl, names: ["a"] });
      assert.equal(passedFor(first), first);
      own.passed({ typeUrl, nonce: "plane-1" });
      const answer = encoding.request({ typeUrl, nonce: "plane-1", names: ["a"] });
      assert.equal(passedFor(answer), answer);
      const nonces = [own.nextNonce(), own.nextNonce()];
      assert.equal(new Set(nonces).size, 2);
      const isDelta = protocol.isDelta;
      const names = isDelta ? [] : ["a"];
      for (const nonce of nonces)
        assert.equal(passedFor(encoding.request({ typeUrl, nonce, names, error: "bad" })), undefined);
      // Another type has names of its own.
      const other = encoding.request({ typeUrl: "another", names: ["b"] });
      assert.equal(passedFor(other), other);
      const wants = passedFor(
        encoding.request({ typeUrl, nonce: nonces[1] ?? "", names: isDelta ? ["c"] : ["a", "c"] }),
      );
      assert.equal(
        wants === undefined ? undefined : protocol.readRequest(wants).nonce,
        isDelta ? "" : "plane-1",
      );
    });
  }
});
