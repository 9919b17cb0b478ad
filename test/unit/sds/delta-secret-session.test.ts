import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { DeltaDiscoveryRequestSchema } from "../../../src/proto/agent/discovery_pb.js";
import { DeltaSecretSession } from "../../../src/sds/delta-secret-session.ts";

test("an answer is expired when a newer response has overtaken the one that it is about", () => {
  const session = new DeltaSecretSession();
  const isExpired = (responseNonce: string, names: string[] = []): boolean =>
    session.receive(create(DeltaDiscoveryRequestSchema, { responseNonce, resourceNamesSubscribe: names }))
      .isExpired;
  const push = (bytes: string, nonce: string): void => {
    session.sent(session.due(new Map([["default", Buffer.from(bytes)]])), nonce);
  };
  assert.equal(isExpired("", ["default"]), false);
  assert.equal(isExpired("of an earlier stream"), false);
  push("first", "1");
  push("second", "2");
  assert.equal(isExpired("1"), true);
  assert.equal(isExpired("2"), false);
  assert.equal(isExpired("", ["ROOTCA"]), false);
});
