import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { DiscoveryResponseSchema } from "../../../src/proto/agent/discovery_pb.js";
import { SecretResponses } from "../../../src/sds/responses.ts";

const workload = { name: "default", bytes: Buffer.from("key pair 1") };
const root = { name: "ROOTCA", bytes: Buffer.from("root") };

describe("SecretResponses", () => {
  test("gives every stream that gets the same secrets the same bytes", () => {
    const responses = new SecretResponses();
    const first = responses.sotw([workload, root]);
    assert.equal(responses.sotw([workload, root]), first);
    assert.notEqual(responses.sotw([root]), first);
    const { nonce, resources } = fromBinary(DiscoveryResponseSchema, first.bytes);
    assert.equal(nonce, first.nonce);
    assert.deepEqual(
      resources.map(({ value }) => Buffer.from(value).toString()),
      ["key pair 1", "root"],
    );
  });

  test("never gives out a secret that has changed, whether or not it was told", () => {
    const responses = new SecretResponses();
    const before = responses.sotw([workload]);
    const after = responses.sotw([{ ...workload, bytes: Buffer.from("key pair 2") }]);
    assert.notEqual(after.nonce, before.nonce);
    assert.ok(Buffer.from(after.bytes).includes("key pair 2"));
    responses.forget();
    assert.notEqual(responses.sotw([workload]).nonce, before.nonce);
  });

  test("keeps a bounded number, whatever streams ask for", () => {
    const responses = new SecretResponses();
    const first = responses.sotw([workload]);
    for (let index = 0; index < 100; index += 1) responses.sotw([{ ...root, name: `file-root:${index}` }]);
    assert.notEqual(responses.sotw([workload]), first);
  });

  test("tells one stream what is gone without telling others", () => {
    const responses = new SecretResponses();
    const changed = [{ ...workload, version: "1" }];
    const shared = responses.delta({ changed, removed: [] });
    assert.equal(responses.delta({ changed, removed: [] }), shared);
    assert.notEqual(responses.delta({ changed, removed: ["kubernetes://a"] }), shared);
  });
});
