import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey } from "node:crypto";
import { describe, test } from "node:test";
import { createCertificateRequest } from "../../../src/pki/certificate-request.ts";
import type { KeyAlgorithm } from "../../../src/pki/key-pair.ts";
import { readRequest } from "../../support/test-pki.ts";

const spiffeId = "spiffe://cluster.local/ns/demo/sa/web";

const cases: readonly {
  readonly name: string;
  readonly key: KeyAlgorithm;
  readonly label: string;
  readonly hash: string;
}[] = [
  { name: "RSA", key: { algorithm: "RSA", bits: 2048 }, label: "RSA PRIVATE KEY", hash: "SHA-256" },
  { name: "P-256", key: { algorithm: "ECDSA", curve: "P256" }, label: "EC PRIVATE KEY", hash: "SHA-256" },
  { name: "P-384", key: { algorithm: "ECDSA", curve: "P384" }, label: "EC PRIVATE KEY", hash: "SHA-384" },
];

for (const { name, key, label, hash } of cases) {
  describe(`a certificate request with ${name}`, async () => {
    const { privateKeyPem, requestPem } = await createCertificateRequest(key, spiffeId);
    const request = await readRequest(requestPem);

    test("is signed by its own key", () => {
      assert.equal(request.isSignedByItsKey, true);
      const own = createPublicKey(createPrivateKey(privateKeyPem)).export({ type: "spki", format: "der" });
      assert.deepEqual(request.publicKeyDer, own);
    });

    test("names the identity in a critical URI SAN and leaves the subject's organization empty", () => {
      assert.deepEqual(request.names, [{ type: "url", value: spiffeId }]);
      assert.equal(request.isNameCritical, true);
      assert.deepEqual(request.subject, [{ O: [""] }]);
    });

    test("uses the hash and the key format that Istio uses", () => {
      assert.equal(request.hash, hash);
      assert.ok(privateKeyPem.startsWith(`-----BEGIN ${label}-----\n`));
      assert.ok(requestPem.startsWith("-----BEGIN CERTIFICATE REQUEST-----\n"));
      assert.ok(requestPem.split("\n").every((line) => line.length <= 64));
    });
  });
}

test("every request has a key of its own", async () => {
  const [first, second] = await Promise.all([
    createCertificateRequest({ algorithm: "ECDSA", curve: "P256" }, spiffeId),
    createCertificateRequest({ algorithm: "ECDSA", curve: "P256" }, spiffeId),
  ]);
  assert.notEqual(first.privateKeyPem, second.privateKeyPem);
});
