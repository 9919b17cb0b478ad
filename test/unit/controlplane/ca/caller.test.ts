import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { readCaller } from "../../../../src/controlplane/ca/caller.ts";
import { parseSpiffeId, workloadId } from "../../../../src/pki/spiffe-id.ts";

const now = new Date("2026-01-01T12:00:00Z");
const seconds = now.getTime() / 1_000;
const expected = { issuer: "https://kubernetes.default.svc", audiences: ["istio-ca", "other"] };
const good = {
  iss: expected.issuer,
  aud: ["istio-ca"],
  sub: "system:serviceaccount:demo:web",
  exp: seconds + 3_600,
  iat: seconds - 10,
  nbf: seconds - 10,
};
const sub = (namespace: string, name: string): object => ({
  sub: `system:serviceaccount:${namespace}:${name}`,
});

describe("readCaller()", () => {
  for (const [what, claims, namespace, serviceAccount] of [
    ["a token of Kubernetes", good, "demo", "web"],
    ["one audience as text", { ...good, aud: "other" }, "demo", "web"],
    ["no iat and no nbf", { ...good, iat: undefined, nbf: undefined }, "demo", "web"],
    ["a clock that is a minute ahead", { ...good, iat: seconds + 60, nbf: seconds + 60 }, "demo", "web"],
    ["a service account with dots", { ...good, ...sub("kube-system", "a.b-c.1") }, "kube-system", "a.b-c.1"],
    [
      "the same workload twice",
      { ...good, "kubernetes.io": { namespace: "demo", serviceaccount: { name: "web", uid: "1" } } },
      "demo",
      "web",
    ],
  ] as const) {
    test(`takes ${what}`, () => {
      assert.deepEqual(readCaller(claims, expected, now), {
        kind: "caller",
        caller: { namespace, serviceAccount },
      });
    });
  }

  for (const [what, claims, reason] of [
    ["no claims", "text", /holds no claims/],
    ["a list", [], /holds no claims/],
    ["no issuer", { ...good, iss: undefined }, /\(iss\)/],
    ["another issuer", { ...good, iss: `${expected.issuer}/` }, /\(iss\)/],
    ["no audience", { ...good, aud: undefined }, /names no audience \(aud\)/],
    ["an empty list of audiences", { ...good, aud: [] }, /\(aud\)/],
    ["an audience that is no text", { ...good, aud: [["istio-ca"]] }, /\(aud\)/],
    ["other audiences", { ...good, aud: ["istio", "ca"] }, /none of the audiences istio-ca, other \(aud\)/],
    ["no expiry", { ...good, exp: undefined }, /no expiry \(exp\)/],
    ["an expiry as text", { ...good, exp: String(good.exp) }, /\(exp\)/],
    ["an endless expiry", { ...good, exp: Infinity }, /\(exp\)/],
    ["an expiry beyond all dates", { ...good, exp: 1e300 }, /\(exp\)/],
    ["a negative expiry", { ...good, exp: -1 }, /\(exp\)/],
    ["an expiry that is now", { ...good, exp: seconds }, /expired at .* \(exp\)/],
    ["nbf in the future", { ...good, nbf: seconds + 61 }, /\(nbf\)/],
    ["nbf that is no number", { ...good, nbf: null }, /\(nbf\)/],
    ["iat in the future", { ...good, iat: seconds + 61 }, /in the future \(iat\)/],
    ["iat that is no number", { ...good, iat: {} }, /\(iat\)/],
    ["no subject", { ...good, sub: undefined }, /\(sub\)/],
    ["a subject that is no text", { ...good, sub: ["system:serviceaccount:demo:web"] }, /\(sub\)/],
    ["a user", { ...good, sub: "admin" }, /\(sub\)/],
    ["a part too many", { ...good, ...sub("demo", "web:x") }, /\(sub\)/],
    ["no namespace", { ...good, ...sub("", "web") }, /namespace .*\(sub\)/],
    ["no name", { ...good, ...sub("demo", "") }, /name .*\(sub\)/],
    ["a slash in the namespace", { ...good, ...sub("demo/sa/api", "web") }, /namespace .*\(sub\)/],
    ["a slash in the name", { ...good, ...sub("demo", "web/x") }, /name .*\(sub\)/],
    ["two dots", { ...good, ...sub("demo", "..") }, /name .*\(sub\)/],
    ["a parent namespace", { ...good, ...sub("..", "web") }, /namespace .*\(sub\)/],
    ["a newline at the end", { ...good, ...sub("demo", "web\n") }, /name .*\(sub\)/],
    ["a newline in the namespace", { ...good, ...sub("de\nmo", "web") }, /namespace .*\(sub\)/],
    ["capitals", { ...good, ...sub("demo", "Web") }, /name .*\(sub\)/],
    ["percent encoding", { ...good, ...sub("demo", "w%2Fb") }, /name .*\(sub\)/],
    ["a namespace of 64 bytes", { ...good, ...sub("d".repeat(64), "web") }, /namespace .*\(sub\)/],
    ["a name of 254 bytes", { ...good, ...sub("demo", "w".repeat(254)) }, /name .*\(sub\)/],
    ["a dot in the namespace", { ...good, ...sub("a.b", "web") }, /namespace .*\(sub\)/],
    [
      "another namespace in kubernetes.io",
      { ...good, "kubernetes.io": { namespace: "other" } },
      /kubernetes\.io/,
    ],
    [
      "another account in kubernetes.io",
      { ...good, "kubernetes.io": { serviceaccount: { name: "api" } } },
      /kubernetes\.io/,
    ],
    ["kubernetes.io as text", { ...good, "kubernetes.io": "demo" }, /kubernetes\.io/],
  ] as const) {
    test(`refuses ${what}`, () => {
      const outcome = readCaller(claims, expected, now);
      assert.equal(outcome.kind, "refused");
      assert.match(outcome.reason, reason);
    });
  }

  test("whatever the subject, the caller's identity is one SPIFFE ID of four segments", () => {
    const part = fc.string({ unit: fc.constantFrom(...Array.from("ab-./:\n%A_")) });
    fc.assert(
      fc.property(part, part, (namespace, name) => {
        const outcome = readCaller({ ...good, ...sub(namespace, name) }, expected, now);
        if (outcome.kind === "refused") return;
        const { caller } = outcome;
        assert.deepEqual(caller, { namespace, serviceAccount: name });
        const id = parseSpiffeId(workloadId("cluster.local", caller.namespace, caller.serviceAccount));
        assert.deepEqual(id?.path.split("/"), ["", "ns", namespace, "sa", name]);
      }),
      { numRuns: 5_000 },
    );
  });
});
