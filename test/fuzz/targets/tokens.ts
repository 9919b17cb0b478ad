/**
 * Tokens: an accepted one is signed by a known key, and each of its claims is what SPIFFE and Kubernetes allow.
 *
 * An input that begins with a brace is the payload of a token that is signed rightly, so that claims are reached;
 * any other is the whole header as it came.
 */
import assert from "node:assert/strict";
import { createPrivateKey, generateKeyPairSync, sign } from "node:crypto";
import { GrpcError } from "../../../src/grpc/grpc-error.ts";
import { TokenAuthenticator } from "../../../src/controlplane/ca/authenticate.ts";
import type { FuzzTarget } from "../target.ts";

const issuer = "outrider-demo";
const audience = "istio-ca";
const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const header = { alg: "ES256", kid: "fuzz", typ: "JWT" };

/** Claims that must be accepted. */
const claims = {
  iss: issuer,
  sub: "system:serviceaccount:demo:web",
  aud: [audience],
  exp: 4_102_444_800,
  iat: 1_700_000_000,
};

const encode = (bytes: Buffer | string): string => Buffer.from(bytes).toString("base64url");

function signed(payload: Buffer | string): string {
  const content = `${encode(JSON.stringify(header))}.${encode(payload)}`;
  const key = createPrivateKey(privateKey.export({ type: "pkcs8", format: "pem" }));
  const signature = sign("sha256", Buffer.from(content), { key, dsaEncoding: "ieee-p1363" });
  return `Bearer ${content}.${encode(signature)}`;
}

const good = signed(JSON.stringify(claims));

/** A name as Kubernetes and a SPIFFE path segment allow it (RFC 1123; SPIFFE-ID, section 2.2). */
const name = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;

export const tokenTarget: FuzzTarget = {
  name: "token",
  corpus: "token",
  seeds: [Buffer.from(good)],
  words: [
    "Bearer ",
    "bearer ",
    ".",
    encode('{"alg":"none"}'),
    encode('{"alg":"HS256","kid":"fuzz"}'),
    encode('{"alg":"ES256","kid":"fuzz","crit":["x"]}'),
    encode('{"alg":"ES256","jwk":{}}'),
    '"exp":',
    '"iat":',
    '"nbf":',
    '"sub":',
    '"aud":',
    '"iss":',
    "system:serviceaccount:",
    ":",
    "/",
    "..",
    "\\n",
    "\\u0000",
    "null",
    "{}",
    "[]",
    "1e400",
    "99999999999",
    "A",
    "Ä",
  ],
  concurrency: 1,
  maxBytes: 65_536,
  open: () => {
    const authenticator = new TokenAuthenticator({
      jwks: { keys: [{ ...publicKey.export({ format: "jwk" }), kid: "fuzz", alg: "ES256" }] },
      issuer,
      audiences: [audience],
    });
    return Promise.resolve({
      feed: async (input) => {
        const isPayload = input[0] === 0x7b;
        const authorization = isPayload ? signed(input) : input.toString("latin1");
        const caller = await authenticator.authenticate(authorization).catch((error: unknown) => {
          assert.ok(error instanceof GrpcError, error instanceof Error ? error.stack : String(error));
          assert.equal(error.code, "UNAUTHENTICATED");
          assert.ok(
            input.length < 16 || !error.details.includes(input.toString("latin1").slice(7)),
            "the answer quotes the token",
          );
          return undefined;
        });
        if (caller !== undefined) checkAccepted(authorization, caller);
      },
      whole: async () => {
        const { namespace, serviceAccount } = await authenticator.authenticate(good);
        assert.deepEqual({ namespace, serviceAccount }, { namespace: "demo", serviceAccount: "web" });
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });
  },
};

/** What an accepted token must be, decided without the code that accepted it. */
function checkAccepted(
  authorization: string,
  caller: { readonly namespace: string; readonly serviceAccount: string },
): void {
  const [head = "", payload = ""] = authorization.replace(/^Bearer +/i, "").split(".");
  const { alg } = JSON.parse(Buffer.from(head, "base64url").toString("utf8")) as { alg: unknown };
  assert.equal(alg, "ES256");
  const { iss, sub, aud, exp, iat, nbf } = JSON.parse(
    Buffer.from(payload, "base64url").toString("utf8"),
  ) as Readonly<Record<string, unknown>>;
  const now = Date.now() / 1_000;
  assert.equal(iss, issuer);
  assert.ok(aud === audience || (Array.isArray(aud) && aud.includes(audience)), "the audience is another");
  assert.equal(sub, `system:serviceaccount:${caller.namespace}:${caller.serviceAccount}`);
  assert.match(caller.namespace, name);
  assert.match(caller.serviceAccount, name);
  assert.ok(typeof exp === "number" && exp > now - 120, "it does not expire, or has");
  for (const start of [iat, nbf])
    assert.ok(
      start === undefined || (typeof start === "number" && start < now + 120),
      "it is from the future",
    );
}
