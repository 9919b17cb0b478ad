import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isOwnNonce, ownNonce, withoutOwnNonce } from "../../../src/xdsproxy/own-response.ts";
import { type AdsProtocol, delta, stateOfTheWorld } from "../../../src/xdsproxy/protocol.ts";
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
