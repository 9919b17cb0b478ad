/** What the API server is answered about an object. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { atOnce } from "../../../../src/lifecycle/in-turns.ts";
import { reviewed } from "../../../../src/controlplane/admission/review.ts";

const answerTo = (body: unknown) => atOnce(reviewed(body));

const rule = (spec: object): object => ({
  apiVersion: "networking.istio.io/v1",
  kind: "VirtualService",
  metadata: { name: "web", namespace: "demo", uid: "1", managedFields: [] },
  spec,
});

const review = (object: unknown): unknown => ({ request: { uid: "u1", operation: "CREATE", object } });

describe("a review of an object", () => {
  test("allows what a folder would take, and what is deleted", () => {
    const route = { hosts: ["web"], http: [{ route: [{ destination: { host: "web" } }] }] };
    for (const object of [rule(route), null, undefined])
      assert.deepEqual(answerTo(review(object))?.response, { uid: "u1", allowed: true });
  });

  test("refuses what a folder would refuse, with every field", () => {
    const response = answerTo(review(rule({ hosts: ["web"], http: [{ nonsense: 1 }], other: 2 })))?.response;
    assert.equal(response?.allowed, false);
    assert.equal(response.status?.code, 422);
    assert.match(response.status.message, /spec\.http\[0\]\.nonsense: .*spec\.other: /);
  });

  test("warns of what has no effect", () => {
    const filter = { ...rule({}), apiVersion: "gateway.networking.k8s.io/v1alpha2", kind: "UDPRoute" };
    const response = answerTo(review(filter))?.response;
    assert.deepEqual([response?.allowed, response?.warnings?.length], [true, 1]);
  });

  test("tells a few of a million mistakes, in few words", () => {
    const http = Array.from({ length: 5_000 }, () => ({ ["x".repeat(500)]: 1 }));
    const response = answerTo(review(rule({ hosts: ["web"], http })))?.response;
    assert.equal(response?.allowed, false);
    assert.ok((response.status?.message.length ?? Infinity) <= 4_096);
  });

  test("lets an object go that is to be deleted, and its metadata change, whatever its spec is", () => {
    const bad = rule({ hosts: ["web"], nonsense: 1 });
    const leaving = {
      ...bad,
      metadata: { name: "web", namespace: "demo", deletionTimestamp: "2026-01-01T00:00:00Z" },
    };
    const update = (object: object, oldObject: object): boolean | undefined =>
      answerTo({ request: { uid: "u1", operation: "UPDATE", object, oldObject } })?.response.allowed;
    assert.equal(update(leaving, bad), true);
    assert.equal(
      update({ ...bad, metadata: { name: "web", namespace: "demo", labels: { a: "b" } } }, bad),
      true,
    );
    assert.equal(update(rule({ hosts: ["web"], nonsense: 2 }), bad), false);
    assert.equal(update({ ...bad, metadata: { name: "web", labels: { a: 5 } } }, bad), false, "a bad label");
  });

  test("is none where nothing is asked", () => {
    for (const body of [undefined, null, [], {}, { request: {} }, { request: { uid: 5 } }])
      assert.equal(answerTo(body), undefined);
  });
});
