import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { TestCa } from "../../support/ca.ts";
import { eventually } from "../../support/eventually.ts";
import { freePorts } from "../../support/free-ports.ts";
import type { HttpResponse } from "../../../src/net/http-client.ts";
import { jwtExpiringAt } from "../../support/jwt.ts";
import { startLoad } from "../../support/load.ts";
import { TestMetadataServer } from "../../support/metadata-server.ts";
import { get } from "../../support/mesh.ts";
import { apiHost, egressWithRaw } from "../../support/mesh-objects.ts";
import { mutualTls } from "../../support/mutual-tls.ts";
import { validity } from "../../support/test-pki.ts";
import { startWebAndApi } from "../../support/web-and-api.ts";

/** Certificates of 20 s, renewed every 3 s: a late one on a busy machine is no expired one. */
const lifetimeMs = 20_000;
const rotation = { SECRET_GRACE_PERIOD_RATIO: "0.85" };

describe("a CA that web shows a token of Google's metadata server, and api a provisioned certificate", () => {
  test("signs in its own trust domain, moves to another under load, and no request fails", async () => {
    await using ca = await TestCa.listen();
    let trustDomain = "old.example";
    ca.answer = ca.issuing(
      () => validity(-60_000, lifetimeMs),
      () => trustDomain,
    );
    await using behind = await TestCa.listen({ pki: ca.pki, tls: false });
    behind.answer = ca.answer;
    await using front = await mutualTls(behind.address, ca.pki);
    await using metadata = await TestMetadataServer.listen((aud) => ({
      body: jwtExpiringAt(new Date(Date.now() + 3_600_000), { aud, iss: "https://accounts.google.com" }),
    }));
    const caRoot = async (folder: string): Promise<void> => {
      mkdirSync(join(folder, "ca"));
      writeFileSync(join(folder, "ca/root.pem"), ca.pki.rootPem);
      await Promise.resolve();
    };
    await using mesh = await startWebAndApi({
      flags: ["--trustDomain", "old.example", "--trustDomainAliases", "new.example"],
      // The discovery server is plain here: it would ask for tokens of its own.
      web: {
        token: undefined,
        prepare: caRoot,
        plainDiscovery: true,
        env: {
          CA_ADDR: ca.address,
          CA_ROOT_CA: "ca/root.pem",
          "CA_HEADER_X-Team": "mesh",
          CREDENTIAL_FETCHER_TYPE: "GoogleComputeEngine",
          GCE_METADATA_HOST: `${metadata.host}:${metadata.port}`,
          CLOUD_PLATFORM: "none",
          ...rotation,
        },
      },
      api: {
        prepare: async (folder) => {
          await caRoot(folder);
          const pair = await ca.pki.serverKeyPair(["vm.demo"], validity(-60_000, 3_600_000));
          mkdirSync(join(folder, "provisioned"));
          writeFileSync(join(folder, "provisioned/cert-chain.pem"), pair.certificatePem);
          writeFileSync(join(folder, "provisioned/key.pem"), pair.privateKeyPem);
        },
        token: undefined,
        plainDiscovery: true,
        env: { CA_ADDR: front.address, CA_ROOT_CA: "ca/root.pem", PROV_CERT: "provisioned", ...rotation },
      },
    });
    assert.equal((await mesh.call()).status, 200);
    const path = join(mesh.web.folder, "var/run/secrets/tokens/istio-token");
    assert.equal(ca.calls[0]?.authorization, `Bearer ${readFileSync(path, "utf8")}`);
    assert.deepEqual(metadata.audiences, ["cluster.local full"]);
    assert.equal(behind.calls[0]?.authorization, undefined);
    assert.ok(front.clients[0] !== undefined, "no client certificate was shown");
    assert.equal(ca.calls[0]?.header("x-team"), "mesh");

    const identities = async (): Promise<readonly (string | undefined)[]> =>
      (await Promise.all([mesh.web.report(), mesh.api.report()])).map(({ identity }) => identity.spiffeId);
    const inDomain = (name: string): readonly string[] =>
      ["web", "api"].map((account) => `spiffe://${name}/ns/demo/sa/${account}`);
    assert.deepEqual(await identities(), inDomain("old.example"));
    assert.equal((await mesh.web.report()).identity.askedTrustDomain, "cluster.local");

    // Each of these calls is a handshake of its own, between peers of which one may have moved already.
    const [rawPort = 0] = await freePorts(1);
    const raw = { port: rawPort, service: "raw", serviceAccount: "api", to: mesh.inboundPort };
    mesh.mesh.write("web.yaml", ...egressWithRaw("web", mesh.outboundPort, raw));
    const callAnew = (): Promise<HttpResponse> => get(rawPort, "/", { host: apiHost });
    await eventually("the second port", async () => assert.equal((await callAnew()).status, 200), {
      withinMs: 15_000,
    });

    await using load = startLoad(async () => {
      const answer = await mesh.call();
      return answer.status === 200 ? callAnew() : answer;
    });
    await load.more(10);
    trustDomain = "new.example";
    const [webCalls, apiCalls] = [ca.calls.length, behind.calls.length];
    await eventually(
      "two rotations each",
      () => {
        assert.ok(ca.calls.length >= webCalls + 2, `${ca.calls.length - webCalls} of web`);
        assert.ok(behind.calls.length >= apiCalls + 2, `${behind.calls.length - apiCalls} of api`);
      },
      { withinMs: 40_000 },
    );
    await load.more(10);
    assert.deepEqual(await load.stop(), []);
    assert.deepEqual(await identities(), inDomain("new.example"));
  });
});
