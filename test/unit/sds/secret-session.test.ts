import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { DiscoveryRequestSchema } from "../../../src/proto/agent/discovery_pb.js";
import { SecretSession } from "../../../src/sds/secret-session.ts";
import type { EncodedSecrets } from "../../../src/sds/secret-table.ts";

const first: EncodedSecrets = new Map([
  ["default", Buffer.from("pair 1")],
  ["ROOTCA", Buffer.from("root")],
]);
const rotated: EncodedSecrets = new Map([...first, ["default", Buffer.from("pair 2")]]);

function session(): {
  ask: (names: readonly string[], nonce?: string, error?: string) => ReturnType<SecretSession["receive"]>;
  answer: (secrets: EncodedSecrets, nonce: string) => string[];
} {
  const subject = new SecretSession();
  return {
    ask: (names, nonce = "", error) =>
      subject.receive(
        create(DiscoveryRequestSchema, {
          resourceNames: [...names],
          responseNonce: nonce,
          ...(error === undefined ? {} : { errorDetail: { code: 13, message: error } }),
        }),
      ),
    answer: (secrets, nonce) => {
      const due = subject.due(secrets);
      if (due.length > 0) subject.sent(due, nonce);
      return due.map(({ name }) => name);
    },
  };
}

describe("an SDS stream", () => {
  test("gets what it asks for, once", () => {
    const { ask, answer } = session();
    ask(["default", "ROOTCA"]);
    assert.deepEqual(answer(first, "1"), ["default", "ROOTCA"]);
    ask(["default", "ROOTCA"], "1");
    assert.deepEqual(answer(first, "2"), []);
  });

  test("asks for nothing before its first request", () => {
    assert.deepEqual(session().answer(first, "1"), []);
  });

  test("is answered when the secret comes into being", () => {
    const { ask, answer } = session();
    ask(["default"]);
    assert.deepEqual(answer(new Map(), "1"), []);
    assert.deepEqual(answer(first, "1"), ["default"]);
  });

  test("gets a rotated certificate without the root that stayed", () => {
    const { ask, answer } = session();
    ask(["default", "ROOTCA"]);
    answer(first, "1");
    assert.deepEqual(answer(rotated, "2"), ["default"]);
  });

  test("gets only the names that it added", () => {
    const { ask, answer } = session();
    ask(["default"]);
    answer(first, "1");
    ask(["default", "ROOTCA"], "1");
    assert.deepEqual(answer(first, "2"), ["ROOTCA"]);
  });

  test("gets a secret again after it let go of it", () => {
    const { ask, answer } = session();
    ask(["default"]);
    answer(first, "1");
    ask([], "1");
    assert.deepEqual(answer(rotated, "2"), []);
    ask(["default"], "1");
    assert.deepEqual(answer(rotated, "2"), ["default"]);
  });

  test("gets everything again when it starts over without a nonce", () => {
    const { ask, answer } = session();
    ask(["default"]);
    answer(first, "1");
    ask(["default"]);
    assert.deepEqual(answer(first, "2"), ["default"]);
  });

  test("is not sent a refused secret again, but the next one", () => {
    const { ask, answer } = session();
    ask(["default"]);
    answer(first, "1");
    assert.equal(ask(["default"], "1", "bad key").rejection, "bad key");
    assert.deepEqual(answer(first, "2"), []);
    assert.deepEqual(answer(rotated, "2"), ["default"]);
  });

  test("is not heard on a response that it has not seen the successor of", () => {
    const { ask, answer } = session();
    ask(["default"]);
    answer(first, "1");
    answer(rotated, "2");
    assert.deepEqual(ask(["default", "other"], "1"), {
      unknownNames: [],
      rejection: undefined,
      isExpired: true,
    });
    assert.deepEqual(answer(rotated, "3"), []);
  });

  test("never gets the workload's key under another name", () => {
    const { ask, answer } = session();
    const names = ["kubernetes://default", "file-cert:a", "", "*", "DEFAULT", "rootca"];
    assert.deepEqual(ask([...names, "ROOTCA"]).unknownNames, names);
    assert.deepEqual(answer(first, "1"), ["ROOTCA"]);
  });
});
