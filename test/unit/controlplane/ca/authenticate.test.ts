import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync } from "node:crypto";
import { describe, test } from "node:test";
import { exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import { TokenAuthenticator } from "../../../../src/controlplane/ca/authenticate.ts";
import { parseJwks } from "../../../../src/controlplane/ca/jwks.ts";

const expected = { issuer: "issuer", audiences: ["istio-ca"] };
const web = { namespace: "demo", serviceAccount: "web" };

interface Signer {
  readonly jwk: JWK;
  token(header?: { kid?: string }, claims?: Record<string, unknown>): Promise<string>;
}

async function signer(alg: string): Promise<Signer> {
  const { publicKey, privateKey } = await generateKeyPair(alg);
  return {
    jwk: await exportJWK(publicKey),
    token: (header = {}, claims = {}) =>
      new SignJWT({ sub: "system:serviceaccount:demo:web", iss: "issuer", aud: "istio-ca", ...claims })
        .setProtectedHeader({ alg, ...header })
        .setExpirationTime("1h")
        .sign(privateKey),
  };
}

function refused(authenticator: TokenAuthenticator, authorization: string, reason: RegExp): Promise<void> {
  return assert.rejects(authenticator.authenticate(authorization), (error: Error & { code: string }) => {
    assert.equal(error.code, "UNAUTHENTICATED");
    assert.match(error.message, reason);
    const secret = authorization.split(".")[1] ?? "";
    assert.ok(secret.length < 20 || !error.message.includes(secret), "the token is quoted");
    return true;
  });
}

describe("TokenAuthenticator", async () => {
  const [rsa, ec, ec2, stranger] = await Promise.all([
    signer("RS256"),
    signer("ES256"),
    signer("ES256"),
    signer("ES256"),
  ]);
  const keys = [
    { ...rsa.jwk, kid: "rsa" },
    { ...ec.jwk, kid: "ec" },
    { ...ec2.jwk, kid: "ec2" },
  ];
  const authenticator = new TokenAuthenticator({ ...expected, jwks: { keys } });
  const accepts = async (token: string, by = authenticator): Promise<void> => {
    assert.deepEqual(await by.authenticate(`Bearer ${token}`), web);
  };

  test("takes a token by its key ID", async () => {
    await accepts(await rsa.token({ kid: "rsa" }));
    await accepts(await ec2.token({ kid: "ec2" }));
  });

  test("tries every key that fits for a token without a key ID", async () => {
    await accepts(await ec.token());
    await accepts(await ec2.token());
    await refused(authenticator, `Bearer ${await stranger.token()}`, /signature is wrong/);
  });

  test("tries keys without an ID for a token that has one, and several of the same ID", async () => {
    const nameless = new TokenAuthenticator({ ...expected, jwks: { keys: [ec.jwk, ec2.jwk] } });
    await accepts(await ec2.token({ kid: "whatever" }), nameless);
    const twins = [ec.jwk, ec2.jwk].map((jwk) => ({ ...jwk, kid: "twin" }));
    await accepts(
      await ec2.token({ kid: "twin" }),
      new TokenAuthenticator({ ...expected, jwks: { keys: twins } }),
    );
  });

  test("no longer takes a key that was removed", async () => {
    const changing = new TokenAuthenticator({ ...expected, jwks: { keys } });
    const token = await ec.token({ kid: "ec" });
    await accepts(token, changing);
    changing.trust({ keys: keys.filter(({ kid }) => kid !== "ec") });
    await refused(changing, `Bearer ${token}`, /key that is not in the JWKS/);
    changing.trust({ keys: [] });
    await refused(changing, `Bearer ${await rsa.token({ kid: "rsa" })}`, /key that is not in the JWKS/);
  });

  test("says which check failed", async () => {
    const token = await ec.token({ kid: "ec" });
    const [header = "", payload = "", signature = ""] = token.split(".");
    const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const none = `${encode({ alg: "none" })}.${payload}.`;
    const hs256 = `${encode({ alg: "HS256", kid: "rsa" })}.${payload}`;
    const mac = createHmac("sha256", JSON.stringify(rsa.jwk)).update(hs256).digest("base64url");
    for (const [authorization, reason] of [
      ["", /no bearer token/],
      ["Basic abc", /no bearer token/],
      ["Bearer ", /no bearer token/],
      [`Bearer ${token} more`, /no bearer token/],
      [`Bearer ${"a".repeat(16_384)}`, /longer than 16384 bytes/],
      ["Bearer abc", /cannot be read as a JWT/],
      ["Bearer a.b.c", /cannot be read as a JWT/],
      [`Bearer ${none}`, /algorithm is none of .*\(alg\)|cannot be read/],
      [`Bearer ${hs256}.${mac}`, /algorithm is none of .*\(alg\)/],
      [`Bearer ${header}.${encode({ sub: "x" })}.${signature}`, /signature is wrong/],
      [`Bearer ${await ec.token({ kid: "gone" })}`, /key that is not in the JWKS/],
      [`Bearer ${await ec.token({ kid: "ec" }, { aud: "other" })}`, /\(aud\)/],
    ] as const)
      await refused(authenticator, authorization, reason);
    await assert.rejects(authenticator.authenticate(undefined), /no bearer token/);
  });
});

describe("parseJwks()", async () => {
  const { jwk } = await signer("ES256");
  const ofPair = (pair: { publicKey: { export(options: { format: "jwk" }): object } }): object =>
    pair.publicKey.export({ format: "jwk" });
  const rsa1024 = ofPair(generateKeyPairSync("rsa", { modulusLength: 1_024 }));
  const ed25519 = ofPair(generateKeyPairSync("ed25519"));
  const { d: _, ...secp256k1 } = generateKeyPairSync("ec", { namedCurve: "secp256k1" }).privateKey.export({
    format: "jwk",
  });

  test("takes public keys, and an empty set", () => {
    const outcome = parseJwks(JSON.stringify({ keys: [jwk] }));
    assert.equal(outcome.kind, "read");
    assert.deepEqual(outcome.jwks, { keys: [jwk] });
    assert.equal(parseJwks('{"keys":[]}').kind, "read");
  });

  for (const [what, key, reason] of [
    ["RSA of 1024 bits", rsa1024, /RSA key of 1024 bits/],
    ["Ed25519", ed25519, /must be RSA or ECDSA/],
    ["an unknown curve", secp256k1, /curve secp256k1/],
    ["a secret", { kty: "oct", k: "AAAA" }, /private key or a secret/],
    ["a private key", { ...jwk, d: "AAAA" }, /private key or a secret/],
    ["a key for encryption", { ...jwk, use: "enc" }, /\(use\)/],
    ["a point that is not on its curve", { ...jwk, x: jwk.y }, /cannot be read/],
    ["text", "key", /is no key/],
    ["null", null, /is no key/],
  ] as const) {
    test(`leaves out ${what} beside a good key, and is unusable with it alone`, () => {
      const both = parseJwks(JSON.stringify({ keys: [key, jwk] }));
      assert.equal(both.kind, "read");
      assert.deepEqual(both.jwks.keys, [jwk]);
      assert.match(both.leftOut.join(), reason);
      const alone = parseJwks(JSON.stringify({ keys: [key] }));
      assert.equal(alone.kind, "unusable");
      assert.match(alone.problem, reason);
    });
  }

  for (const [what, text, reason] of [
    ["half a file", '{"keys":[', /not JSON/],
    ["a list", "[]", /no list of keys/],
    ["null", "null", /no list of keys/],
    ["keys that are no list", '{"keys":{}}', /no list of keys/],
    ["more keys than are tried", JSON.stringify({ keys: Array(101).fill(jwk) }), /101 keys/],
  ] as const) {
    test(`does not take ${what}`, () => {
      const outcome = parseJwks(text);
      assert.equal(outcome.kind, "unusable");
      assert.match(outcome.problem, reason);
    });
  }
});
