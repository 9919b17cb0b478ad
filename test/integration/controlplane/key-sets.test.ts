/** Keys that a RequestAuthentication only names: fetched here, rotated, and never lost for an issuer that cannot be asked. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import { fetchKeySet, KeySetError } from "../../../src/controlplane/jwks/fetch-key-set.ts";
import type { KeySetPlace } from "../../../src/controlplane/jwks/places.ts";
import { DiscoveryPlane } from "../../support/discovery-plane.ts";
import { adsBootstrap } from "../../support/envoy-config.ts";
import { eventually } from "../../support/eventually.ts";
import { freePorts } from "../../support/free-ports.ts";
import { startApp } from "../../support/http-app.ts";
import { get } from "../../support/mesh.ts";
import { type Answer, bytes, startModuleServer, status } from "../../support/module-server.ts";
import { PlainEnvoy } from "../../support/plain-envoy.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { TestPki, validity } from "../../support/test-pki.ts";

const withinMs = 60_000;
const never = new AbortController().signal;
const noRoots = (): undefined => undefined;

/** A key of an issuer. */
interface IssuerKey {
  readonly public: JWK;
  readonly sign: (issuer: string) => Promise<string>;
}

async function issuerKey(kid: string): Promise<IssuerKey> {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  return {
    public: { ...(await exportJWK(publicKey)), kid, alg: "ES256" },
    sign: (issuer) =>
      new SignJWT({ team: "a" })
        .setProtectedHeader({ alg: "ES256", kid })
        .setIssuer(issuer)
        .setSubject("somebody")
        .setExpirationTime("1h")
        .sign(privateKey),
  };
}

const setOf = (...keys: readonly IssuerKey[]): string =>
  JSON.stringify({ keys: keys.map((key) => key.public) });
const manyKeys = JSON.stringify({
  keys: ["a", "b", "c"].map((kid) => ({ kty: "oct", kid, k: "a".repeat(30_000) })),
});
const answer = (text: string): Answer => bytes(Buffer.from(text));

describe("a set of keys", () => {
  const place = (kind: KeySetPlace["kind"], url: string): KeySetPlace => ({ kind, url, timeoutMs: 10_000 });

  test("is fetched from its place, over redirects, and from where the issuer says it is", async () => {
    await using server = await startModuleServer();
    const keys = setOf(await issuerKey("a"));
    server.answers.set("/keys", answer(keys));
    server.answers.set("/moved", status(302, { location: "/keys" }));
    server.answers.set(
      "/issuer/.well-known/openid-configuration",
      answer(JSON.stringify({ jwks_uri: `${server.url}/moved?a=b` })),
    );
    for (const asked of [
      place("keys", `${server.url}/keys`),
      place("keys", `${server.url}/moved`),
      place("issuer", `${server.url}/issuer`),
      place("issuer", `${server.url}/issuer/`),
    ])
      assert.equal(await fetchKeySet(asked, noRoots, never), keys, asked.url);
  });

  test("is taken over TLS from whoever the roots know, and from nobody else", async () => {
    const pki = await TestPki.create();
    const pair = await pki.serverKeyPair(["127.0.0.1"], validity(-60_000, 3_600_000));
    await using server = await startModuleServer({
      certificateChain: pair.certificatePem,
      privateKey: pair.privateKeyPem,
    });
    await using plain = await startModuleServer();
    const keys = setOf(await issuerKey("a"));
    server.answers.set("/keys", answer(keys));
    plain.answers.set("/keys", answer(keys));
    server.answers.set("/plain", status(302, { location: `${plain.url}/keys` }));
    const roots = (): Buffer => Buffer.from(pki.rootPem);
    assert.equal(await fetchKeySet(place("keys", `${server.url}/keys`), roots, never), keys);
    await assert.rejects(fetchKeySet(place("keys", `${server.url}/keys`), noRoots, never), {
      code: "UNREACHABLE",
    });
    await assert.rejects(fetchKeySet(place("keys", `${server.url}/plain`), roots, never), {
      code: "REFUSED",
    });
  });

  for (const [what, reply, code] of [
    ["that is not there", status(404), "REFUSED"],
    ["that is no set", answer("{}"), "UNUSABLE"],
    ["that is no JSON", answer("<html>"), "UNUSABLE"],
    ["without a key that Envoy can use", answer('{"keys":[{"kty":"new"}]}'), "UNUSABLE"],
    ["with more keys than are pushed", answer(manyKeys), "UNUSABLE"],
    ["that is too large", answer("x".repeat(2 ** 20 + 1)), "UNREACHABLE"],
    ["that leads to itself", status(302, { location: "/keys?secret=1" }), "REFUSED"],
    ["that leads to a file", status(302, { location: "file:///etc/passwd" }), "REFUSED"],
  ] as const)
    test(`${what} is refused, and its query is not told`, async () => {
      await using server = await startModuleServer();
      server.answers.set("/keys", reply);
      const error: unknown = await fetchKeySet(
        place("keys", `${server.url}/keys?secret=1`),
        noRoots,
        never,
      ).catch((reason: unknown) => reason);
      assert.ok(error instanceof KeySetError);
      assert.equal(error.code, code);
      assert.match(error.message, /127\.0\.0\.1:\d+\/keys/);
      assert.doesNotMatch(error.message, /secret/);
    });
});

describe("a place of keys", () => {
  // The last one leads through a translator.
  for (const host of [
    "169.254.169.254",
    "[fe80::1]",
    "100.100.100.200",
    "[fd00:ec2::254]",
    "[64:ff9b::a9fe:a9fe]",
  ])
    test(`is not asked at ${host}, though a rule names it`, async () => {
      const place: KeySetPlace = { kind: "keys", url: `http://${host}/keys?secret=1`, timeoutMs: 10_000 };
      await assert.rejects(fetchKeySet(place, noRoots, never), (error: unknown) => {
        assert.ok(error instanceof KeySetError);
        assert.equal(error.code, "REFUSED");
        assert.match(error.message, /\/keys is not asked: /);
        assert.doesNotMatch(error.message, /secret/);
        return true;
      });
    });
});

describe("a discovery document", () => {
  for (const [where, code] of [
    ["ftp://127.0.0.1/keys", "UNUSABLE"],
    ["http://me:secret@127.0.0.1/keys", "UNUSABLE"],
    ["http://169.254.169.254/keys", "REFUSED"],
    ["http://[fe80::1]/keys", "REFUSED"],
    ["/keys", "UNUSABLE"],
  ] as const)
    test(`may not name ${where}`, async () => {
      await using server = await startModuleServer();
      server.answers.set("/.well-known/openid-configuration", answer(JSON.stringify({ jwks_uri: where })));
      await assert.rejects(
        fetchKeySet({ kind: "issuer", url: server.url, timeoutMs: 10_000 }, noRoots, never),
        { code },
      );
    });

  test("that came over TLS may not name a place without it", async () => {
    const pki = await TestPki.create();
    const pair = await pki.serverKeyPair(["127.0.0.1"], validity(-60_000, 3_600_000));
    await using server = await startModuleServer({
      certificateChain: pair.certificatePem,
      privateKey: pair.privateKeyPem,
    });
    await using plain = await startModuleServer();
    plain.answers.set("/keys", answer(setOf(await issuerKey("a"))));
    server.answers.set(
      "/.well-known/openid-configuration",
      answer(JSON.stringify({ jwks_uri: `${plain.url}/keys` })),
    );
    await assert.rejects(
      fetchKeySet(
        { kind: "issuer", url: server.url, timeoutMs: 10_000 },
        () => Buffer.from(pki.rootPem),
        never,
      ),
      { code: "REFUSED" },
    );
  });
});

describe("tokens at a real Envoy", () => {
  test("are good while their issuer's newest set has their key, also while it cannot be asked", async () => {
    await using stack = new AsyncDisposableStack();
    const issuer = stack.use(await startModuleServer());
    const app = stack.use(await startApp("api"));
    const [port = 0] = await freePorts(1);
    const [old, next] = [await issuerKey("old"), await issuerKey("next")];
    issuer.answers.set("/keys", status(503));
    const mesh = `apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: { name: default, namespace: demo }
spec:
  ingress:
    - { port: { number: ${port}, name: http, protocol: HTTP }, bind: 127.0.0.1, defaultEndpoint: "127.0.0.1:${app.port}" }
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: demo }
spec: { mtls: { mode: DISABLE } }
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: tokens, namespace: demo }
spec:
  jwtRules:
    - issuer: https://issuer.example
      jwksUri: ${issuer.url}/keys
      fromHeaders: [{ name: authorization, prefix: "Bearer " }]
      fromCookies: [session]
      outputClaimToHeaders: [{ header: x-team, claim: team }]
`;
    const plane = stack.use(
      await DiscoveryPlane.start({ "mesh.yaml": mesh }, { keySets: { refreshMs: 200 } }),
    );
    const folder = join(stack.use(temporaryFolder()).path, "envoy");
    mkdirSync(folder);
    const node = {
      id: "sidecar~127.0.0.1~api-1.demo~demo.svc.cluster.local",
      metadata: { NAMESPACE: "demo", INTERCEPTION_MODE: "NONE" },
    };
    stack.use(
      await PlainEnvoy.start({
        ...{ folder, adminPath: join(folder, "admin") },
        bootstrap: adsBootstrap(node, plane.server.ports.grpc ?? 0, "DELTA_GRPC"),
      }),
    );
    const answers = (expected: number, headers: Readonly<Record<string, string>>): Promise<void> =>
      eventually(
        `${expected} for ${Object.keys(headers).join()}`,
        async () => assert.equal((await get(port, "/", headers)).status, expected),
        { withinMs },
      );
    const bearer = async (key: IssuerKey): Promise<Readonly<Record<string, string>>> => ({
      authorization: `Bearer ${await key.sign("https://issuer.example")}`,
    });
    const [withOld, withNext] = [await bearer(old), await bearer(next)];

    // No keys are known: no token is good, and whoever shows none is let in as ever.
    await answers(200, {});
    await answers(401, withOld);
    issuer.answers.set("/keys", answer(setOf(old)));
    await answers(200, withOld);
    assert.equal(app.requests.at(-1)?.["x-team"], "a");
    await answers(401, withNext);
    await answers(200, { cookie: `session=${await old.sign("https://issuer.example")}` });

    issuer.answers.set("/keys", answer(setOf(old, next)));
    await answers(200, withNext);
    await answers(200, withOld);
    issuer.answers.set("/keys", answer(setOf(next)));
    await answers(401, withOld);
    await answers(200, withNext);

    issuer.answers.set("/keys", status(503));
    const asked = issuer.requests.length;
    await eventually("asked again", () => assert.ok(issuer.requests.length > asked + 1), { withinMs });
    await answers(200, withNext);
    await answers(401, withOld);
    assert.match(
      plane.log.lines.find((line) => line.includes("keys of an issuer cannot be fetched")) ?? "",
      /answered with status 503.*has_keys=false/,
    );
    // Another rule of the folder changes: keys that are known are not asked for anew.
    writeFileSync(join(plane.configFolder, "mesh.yaml"), mesh.replace("x-team", "x-group"));
    await eventually(
      "the new rule",
      async () => {
        assert.equal((await get(port, "/", withNext)).status, 200);
        assert.equal(app.requests.at(-1)?.["x-group"], "a");
      },
      { withinMs },
    );
  });
});
