/** Tokens that Nomad signs for tasks, against a control plane that follows it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { DiscoveryServer } from "../../../src/controlplane/discovery-server.ts";
import { typeUrl } from "../../../src/xds/type-urls.ts";
import { discoveryOptions } from "../../support/discovery-options.ts";
import { DiscoveryPlane, type TestNode } from "../../support/discovery-plane.ts";
import { ScriptedNomad } from "../../support/scripted-nomad.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { testLog } from "../../support/test-log.ts";

interface Signer {
  readonly jwk: object;
  sign(claims: Readonly<Record<string, unknown>>, audience?: string): Promise<string>;
}

/** As Nomad 1.7 and later sign. */
async function signer(kid: string): Promise<Signer> {
  const { publicKey, privateKey } = await generateKeyPair("RS256", { modulusLength: 2_048 });
  return {
    jwk: { ...(await exportJWK(publicKey)), kid, alg: "RS256", use: "sig" },
    sign: (claims, audience = "istio-ca") =>
      new SignJWT({ ...claims })
        .setProtectedHeader({ alg: "RS256", kid, typ: "JWT" })
        .setSubject("global:default:web:web:sidecar:istio")
        .setAudience(audience)
        .setIssuedAt()
        .setNotBefore("-1s")
        .setExpirationTime("1h")
        .sign(privateKey),
  };
}

const task = (namespace: string, job: string): Readonly<Record<string, string>> => ({
  nomad_namespace: namespace,
  nomad_job_id: job,
  nomad_allocation_id: "5c6328f7-48c5-4d03-bada-91ef2e904d0d",
  nomad_task: "sidecar",
});

const node = (namespace: string, serviceAccount: string): TestNode => ({
  id: `sidecar~127.0.0.1~alloc-1.${namespace}~${namespace}.svc.cluster.local`,
  metadata: { NAMESPACE: namespace, SERVICE_ACCOUNT: serviceAccount },
});

interface Mesh extends AsyncDisposable {
  readonly nomad: ScriptedNomad;
  /** What becomes of a stream with this token. */
  open(token: string, of: TestNode): Promise<string>;
}

async function start(keys: readonly object[]): Promise<Mesh> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(temporaryFolder()).path;
  const nomad = stack.use(await ScriptedNomad.start());
  nomad.keys = keys;
  nomad.register("web", { Tags: ["port=80", "protocol=http", "serviceAccount=web"] });
  const { options, issuer } = await discoveryOptions(folder, { nomad: { url: nomad.url, namespace: "*" } });
  const server = stack.use(await DiscoveryServer.listen(options, testLog()));
  const owned = stack.move();
  return {
    nomad,
    open: async (token, of) => {
      const given = token === "" ? issuer : { ...issuer, issue: () => Promise.resolve(token) };
      await using plane = DiscoveryPlane.of(server, given);
      const stream = await plane.secure("web", of, "default");
      stream.send({ typeUrl: typeUrl.cluster });
      try {
        const { resources } = await stream.next();
        const text = resources.map(({ value }) => Buffer.from(value).toString("latin1")).join("");
        return text.includes("outbound|80||web.service.nomad") ? "served" : "served without Nomad's services";
      } catch (error) {
        return String(error);
      }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

describe("a token that Nomad has signed", () => {
  test("proves namespace and job", async () => {
    const key = await signer("1");
    await using mesh = await start([key.jwk]);
    assert.equal(await mesh.open(await key.sign(task("default", "web")), node("default", "web")), "served");
    const periodic = task("default", "web/periodic-1700000000");
    assert.equal(await mesh.open(await key.sign(periodic), node("default", "web")), "served");
    assert.match(
      await mesh.open(await key.sign(task("default", "web")), node("default", "api")),
      /PERMISSION_DENIED.*SERVICE_ACCOUNT is api, the credential proves web/,
    );
    // Others are for whoever checked them before.
    assert.equal(await mesh.open("", node("default", "web")), "served");
  });

  test("is refused with another audience, of a key that is none of Nomad's, and of a job that is no name", async () => {
    const [key, stranger] = [await signer("1"), await signer("2")];
    await using mesh = await start([key.jwk]);
    const of = node("default", "web");
    const outcomes = [
      await mesh.open(await key.sign(task("default", "web"), "vault"), of),
      await mesh.open(await stranger.sign(task("default", "web")), of),
      await mesh.open(await key.sign(task("default", "My Job")), of),
      await mesh.open(await key.sign(task("My_Team", "web")), of),
    ];
    for (const [index, reason] of [
      /none of the audiences istio-ca/,
      /signed with a key that is not in the JWKS/,
      /nomad_job_id/,
      /nomad_namespace/,
    ].entries())
      assert.match(outcomes[index] ?? "", new RegExp(`UNAUTHENTICATED.*${reason.source}`));
    // Whoever names a key that nobody knows has Nomad asked for its keys once, and not again at once.
    const asked = mesh.nomad.questions.filter((path) => path.startsWith("/.well-known/jwks.json"));
    assert.equal(asked.length, 1);
  });

  test("is told to come again while Nomad has not said its keys", async () => {
    const key = await signer("1");
    await using mesh = await start([key.jwk]);
    mesh.nomad.refusing = { status: 500, body: "No cluster leader" };
    assert.match(
      await mesh.open(await key.sign(task("default", "web")), node("default", "web")),
      /UNAVAILABLE.*Nomad's keys are not known yet/,
    );
  });
});
