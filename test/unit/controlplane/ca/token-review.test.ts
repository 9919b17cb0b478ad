/** Whom the answer to a TokenReview proves. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { callerOf } from "../../../../src/controlplane/ca/token-review.ts";

const user = {
  username: "system:serviceaccount:demo:web",
  groups: ["system:serviceaccounts", "system:serviceaccounts:demo", "system:authenticated"],
};
const good = { authenticated: true, audiences: ["istio-ca"], user };

describe("a review of a token", () => {
  test("proves a service account, and the pod where it says one", () => {
    assert.deepEqual(callerOf(good, ["istio-ca"]), { namespace: "demo", serviceAccount: "web" });
    const extra = { "authentication.kubernetes.io/pod-name": ["web-1"] };
    const bound = { ...good, user: { ...user, extra } };
    assert.deepEqual(callerOf(bound, ["other", "istio-ca"]), {
      namespace: "demo",
      serviceAccount: "web",
      pod: "web-1",
    });
  });

  const refused: readonly (readonly [
    what: string,
    status: Readonly<Record<string, unknown>>,
    reason: RegExp,
  ])[] = [
    ["nothing", {}, /does not accept the token/],
    ["not authenticated", { ...good, authenticated: false }, /does not accept the token/],
    ["authenticated in words", { ...good, authenticated: "true" }, /does not accept the token/],
    ["another audience", { ...good, audiences: ["vault"] }, /none of the audiences istio-ca/],
    ["no audiences", { ...good, audiences: undefined }, /none of the audiences istio-ca/],
    ["a person", { ...good, user: { ...user, username: "admin" } }, /none of a service account/],
    [
      "a name of more parts",
      { ...good, user: { ...user, username: `${user.username}:x` } },
      /none of a service/,
    ],
    [
      "a name with a path",
      { ...good, user: { ...user, username: "system:serviceaccount:demo:../x" } },
      /none of/,
    ],
    ["one who is called so", { ...good, user: { ...user, groups: ["people"] } }, /none of a service account/],
  ];
  test("proves nobody else", () => {
    for (const [what, status, reason] of refused)
      assert.throws(() => callerOf(status, ["istio-ca"]), { code: "UNAUTHENTICATED", message: reason }, what);
  });
});
