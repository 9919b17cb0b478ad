import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { test } from "node:test";
import { createCertificateRequest } from "../../../src/pki/certificate-request.ts";
import { generatePrivateKey, type KeyAlgorithm } from "../../../src/pki/key-pair.ts";
import { rsaBits } from "../../../src/pki/rsa-bits.ts";

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;
const keys: readonly (readonly [string, KeyAlgorithm])[] = [
  ["RSA", { algorithm: "RSA", bits: 2048 }],
  ["large RSA", { algorithm: "RSA", bits: 4096, pkcs8: true }],
  ["P-256", { algorithm: "ECDSA", curve: "P256" }],
  ["P-384", { algorithm: "ECDSA", curve: "P384" }],
];

for (const [name, key] of keys) {
  test(`OpenSSL verifies a request with ${name}`, { skip: hasOpenssl ? false : "no openssl" }, async () => {
    const { requestPem } = await createCertificateRequest(key, "spiffe://cluster.local/ns/demo/sa/web");
    const text = execFileSync("openssl", ["req", "-verify", "-noout", "-text"], {
      input: requestPem,
      stdio: ["pipe", "pipe", "pipe"],
    }).toString();
    assert.match(
      text,
      /X509v3 Subject Alternative Name: critical\s+URI:spiffe:\/\/cluster\.local\/ns\/demo\/sa\/web/,
    );
    assert.match(text, /Subject: O ?=/);
  });
}

test("the largest key holds nobody up who wants an end", async () => {
  const stop = new AbortController();
  const key = generatePrivateKey({ algorithm: "RSA", bits: rsaBits.most }, stop.signal);
  stop.abort(new Error("asked to stop"));
  await assert.rejects(key, /asked to stop/);
  await assert.rejects(generatePrivateKey({ algorithm: "RSA", bits: rsaBits.most }, stop.signal), /asked/);
});
