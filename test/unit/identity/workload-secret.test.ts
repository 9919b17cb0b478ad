import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkSecret, type SignedRequest } from "../../../src/identity/workload-secret.ts";
import { createCertificateRequest } from "../../../src/pki/certificate-request.ts";
import { TestPki, validity } from "../../support/test-pki.ts";

const spiffeId = "spiffe://cluster.local/ns/demo/sa/web";
const key = { algorithm: "ECDSA", curve: "P256" } as const;

describe("checkSecret()", async () => {
  const [pki, other] = await Promise.all([TestPki.create(), TestPki.create()]);
  const valid = validity(-60_000, 1_800_000);
  const { privateKeyPem, requestPem } = await createCertificateRequest(key, spiffeId);
  const good: SignedRequest = {
    privateKeyPem,
    spiffeId,
    chain: [await pki.sign(requestPem, valid), pki.rootPem],
  };
  const refused = (signed: SignedRequest, message: RegExp, now = new Date()): void => {
    assert.throws(() => checkSecret(signed, now), { code: "CERTIFICATE_INVALID", message });
  };

  test("serves the whole answer as chain and its last element as root", () => {
    const secret = checkSecret(good, new Date());
    assert.equal(secret.certificateChainPem, `${good.chain.map((pem) => pem.trim()).join("\n")}\n`);
    assert.equal(secret.rootPem, `${pki.rootPem.trim()}\n`);
    assert.equal(secret.spiffeId, spiffeId);
    assert.ok(secret.notBefore < secret.notAfter);
  });

  test("takes intermediates, each alone or in one bundle with the root", async () => {
    const intermediate = await pki.intermediate();
    const leaf = await intermediate.sign(requestPem, valid);
    const { rootPem } = checkSecret(
      { ...good, chain: [leaf, `${intermediate.rootPem}\n${pki.rootPem}`, pki.rootPem] },
      new Date(),
    );
    assert.equal(rootPem, `${pki.rootPem.trim()}\n`);
  });

  test("leaves a certificate of the near future to the caller", async () => {
    const chain = [await pki.sign(requestPem, validity(30_000, 60_000)), pki.rootPem];
    assert.ok(checkSecret({ ...good, chain }, new Date()).notBefore > new Date());
  });

  test("refuses a certificate for another key", async () => {
    const stranger = await createCertificateRequest(key, spiffeId);
    refused({ ...good, privateKeyPem: stranger.privateKeyPem }, /its key is not the one/);
  });

  test("refuses a certificate for another identity and names both", async () => {
    const request = await createCertificateRequest(key, "spiffe://cluster.local/ns/demo/sa/api");
    const chain = [await pki.sign(request.requestPem, valid), pki.rootPem];
    refused(
      { privateKeyPem: request.privateKeyPem, spiffeId, chain },
      /it is for spiffe:\/\/cluster\.local\/ns\/demo\/sa\/api, not for spiffe:\/\/cluster\.local\/ns\/demo\/sa\/web: check POD_NAMESPACE and SERVICE_ACCOUNT/,
    );
  });

  const signedFor = async (id: string): Promise<SignedRequest> => {
    const request = await createCertificateRequest(key, id);
    const chain = [await pki.sign(request.requestPem, valid), pki.rootPem];
    return { privateKeyPem: request.privateKeyPem, spiffeId, chain };
  };

  for (const id of ["spiffe://new.example.org/ns/demo/sa/web", "spiffe://a/ns/demo/sa/web"]) {
    test(`takes the same workload in another trust domain: ${id}`, async () => {
      assert.equal(checkSecret(await signedFor(id), new Date()).spiffeId, id);
    });
  }

  test("takes exactly what was asked for, even where SPIFFE would not name a trust domain so", async () => {
    const id = "spiffe://Cluster.Local/ns/demo/sa/web";
    assert.equal(checkSecret({ ...(await signedFor(id)), spiffeId: id }, new Date()).spiffeId, id);
  });

  for (const id of [
    "spiffe://cluster.local/ns/other/sa/web",
    "spiffe://cluster.local/ns/demo/sa/api",
    "spiffe://new.example.org/ns/other/sa/web",
    "spiffe://new.example.org/ns/demo/sa/web/x",
    "spiffe://new.example.org/x/ns/demo/sa/web",
    "spiffe://new.example.org",
    "spiffe://New.Example.Org/ns/demo/sa/web",
    "spiffe:///ns/demo/sa/web",
    "spiffe://a:443/ns/demo/sa/web",
    "https://new.example.org/ns/demo/sa/web",
    "urn:web",
  ]) {
    test(`refuses what is not the same workload: ${id}`, async () => {
      refused(
        await signedFor(id),
        /it is for .*, not for spiffe:\/\/cluster\.local\/ns\/demo\/sa\/web: check/,
      );
    });
  }

  test("refuses a certificate with two identities, and with none", async () => {
    const { certificatePem, privateKeyPem } = await pki.serverKeyPair(
      [spiffeId, "spiffe://b/ns/demo/sa/web"],
      valid,
    );
    refused({ privateKeyPem, spiffeId, chain: [certificatePem, pki.rootPem] }, /it is for .*, spiffe:\/\/b/);
    const named = await pki.serverKeyPair(["web.demo"], valid);
    refused(
      { privateKeyPem: named.privateKeyPem, spiffeId, chain: [named.certificatePem, pki.rootPem] },
      /it is for nobody/,
    );
  });

  test("refuses a chain that does not lead to its root", () => {
    refused({ ...good, chain: [good.chain[0] ?? "", other.rootPem] }, /does not lead to the root/);
  });

  test("refuses an expired certificate", () => {
    refused(good, /it expired at .* compare the clocks/, new Date(Date.now() + 3_600_000));
  });

  test("names everything that is wrong at once", () => {
    refused(
      { ...good, spiffeId: "spiffe://other/ns/a/sa/b", chain: [good.chain[0] ?? "", other.rootPem] },
      /root that came with it; it is for/,
    );
  });

  test("refuses text that is no certificate", () => {
    refused({ ...good, chain: ["no", "certificate"] }, /the CA's answer holds no certificate/);
  });
});
