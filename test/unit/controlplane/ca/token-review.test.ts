/** Whom the answer to a TokenReview proves. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { callerOf, checkForm, TokenReviewer } from "../../../../src/controlplane/ca/token-review.ts";
import { testLog } from "../../../support/test-log.ts";

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

const jwt = (claims: object): string => `${part({ alg: "RS256" })}.${part(claims)}.c2ln`;

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

describe("a reviewer of tokens", () => {
  const bearer = (sub: number | string): string => `Bearer ${jwt({ sub, exp: Date.now() / 1_000 + 600 })}`;

  test("asks about nothing that is no JWT, or that has expired", () => {
    const now = new Date(1_000_000_000);
    for (const token of [
      "abc",
      "a.b.c",
      `${part({})}.${part([])}.x`,
      `${part({})}.${part({})}.`,
      `${jwt({})}.x`,
    ])
      assert.throws(
        () => checkForm(token, now),
        { code: "UNAUTHENTICATED", message: /read as a JWT/ },
        token,
      );
    for (const exp of [900_000, "soon", null])
      assert.throws(() => checkForm(jwt({ exp }), now), { message: /expired/ }, String(exp));
    for (const claims of [{}, { exp: 1_000_001 }, { exp: 999_999 }]) checkForm(jwt(claims), now);
  });

  test("asks about a bounded number at once, and says so to the rest, and not where the cluster is", async () => {
    let open = 0;
    const ends = Promise.withResolvers<never>();
    const send = async (): Promise<never> => {
      open += 1;
      return ends.promise;
    };
    const reviewer = new TokenReviewer({ send }, ["istio-ca"], testLog().log);
    const asked = Array.from({ length: 3_000 }, (_, index) =>
      reviewer.authenticate(bearer(index)).then(
        () => "nobody",
        (error: unknown) => String(error),
      ),
    );
    const late = await asked.at(-1);
    assert.match(late ?? "", /too many others/);
    assert.equal(open, 64);
    ends.reject(new Error("https://10.96.0.1:443 is gone"));
    const all = await Promise.all(asked);
    assert.equal(all.filter((each) => each.includes("too many")).length, 3_000 - 64 - 1_024);
    assert.ok(all.every((each) => !each.includes("10.96.0.1")));
    assert.equal(open, 64 + 1_024);
  });

  test("asks once about a token, and about one that is refused not again at once", async () => {
    const statuses = [good, { authenticated: false }];
    for (const status of statuses) {
      let asked = 0;
      const send = (): Promise<{ readonly status: object }> => {
        asked += 1;
        return Promise.resolve({ status });
      };
      const reviewer = new TokenReviewer({ send }, ["istio-ca"], testLog().log);
      const token = bearer("x");
      const first = reviewer.authenticate(token).catch(String);
      const again = reviewer.authenticate(token).catch(String);
      assert.deepEqual(await again, await first);
      assert.deepEqual(await reviewer.authenticate(token).catch(String), await first);
      assert.equal(asked, 1);
    }
  });
});
