import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { describe, test } from "node:test";
import {
  caFileNames,
  CaMaterialError,
  checkCaFiles,
} from "../../../../src/controlplane/ca/check-material.ts";
import { CertificateAuthority } from "../../../../src/controlplane/ca/authority.ts";
import { createCertificateRequest } from "../../../../src/pki/certificate-request.ts";
import { chainsToRoot } from "../../../../src/pki/certificate.ts";
import { splitPem } from "../../../../src/pki/pem.ts";
import {
  type AuthorityChanges,
  type CaFiles,
  certificateFiles,
  filesOf,
  pem,
  rsaKey,
  testAuthority,
} from "../../../support/ca-files.ts";

async function problemsOf(files: CaFiles): Promise<readonly string[]> {
  try {
    await checkCaFiles("the folder", files, new Date());
    return [];
  } catch (error) {
    assert.ok(error instanceof CaMaterialError, String(error));
    return error.problems;
  }
}

const hour = 3_600_000;

describe("checkCaFiles()", async () => {
  const good = await certificateFiles();
  const other = await certificateFiles();

  for (const [what, key] of [
    ["P-256", { name: "ECDSA", namedCurve: "P-256" }],
    ["P-384", { name: "ECDSA", namedCurve: "P-384" }],
    ["P-521", { name: "ECDSA", namedCurve: "P-521" }],
    ["RSA of 2048 bits", rsaKey(2_048)],
  ] as const) {
    test(`takes a CA with ${what}, whose certificates lead to its root`, async () => {
      const files = await certificateFiles({ key }, { key });
      const material = await checkCaFiles("the folder", files, new Date());
      const authority = new CertificateAuthority(material, { defaultMs: hour, maxMs: hour });
      const { requestPem } = await createCertificateRequest(
        { algorithm: "ECDSA", curve: "P256" },
        "spiffe://a/b",
      );
      const [leaf = "", ...rest] = await authority.signWorkload(requestPem, "spiffe://a/b", 0);
      assert.ok(chainsToRoot(leaf, rest.slice(0, -1).flatMap(splitPem), rest.slice(-1).flatMap(splitPem)));
    });
  }

  test("takes a root as its own CA, two roots, and keys in any form that OpenSSL reads", async () => {
    const root = await testAuthority();
    const alone = { ...filesOf(root, root), "cert-chain.pem": pem(root) };
    assert.deepEqual((await checkCaFiles("x", alone, new Date())).intermediatesPem, []);
    const next = await testAuthority();
    const both = await checkCaFiles("x", { ...alone, "root-cert.pem": pem(next) + pem(root) }, new Date());
    assert.equal(splitPem(both.rootPem).length, 2);
    const sec1 = createPrivateKey(good["ca-key.pem"]).export({ format: "pem", type: "sec1" }).toString();
    assert.deepEqual(await problemsOf({ ...good, "ca-key.pem": sec1 }), []);
  });

  test("sends the issuing certificate with every leaf, also when cert-chain.pem leaves it out", async () => {
    const material = await checkCaFiles(
      "x",
      { ...good, "cert-chain.pem": good["root-cert.pem"] },
      new Date(),
    );
    assert.deepEqual(
      material.intermediatesPem.map((text) => new X509Certificate(text).fingerprint256),
      [new X509Certificate(good["ca-cert.pem"]).fingerprint256],
    );
  });

  for (const [what, changes, problem] of [
    ["RSA of 1024 bits", { key: rsaKey(1_024) }, /ca-cert\.pem: has a key that is an RSA key of 1024 bits/],
    ["no CA flag", { isCa: false }, /ca-cert\.pem: is not a CA's certificate/],
    ["no right to sign", { maySign: false }, /ca-cert\.pem: may not sign certificates/],
    ["its end behind it", { notAfter: new Date(Date.now() - hour) }, /ca-cert\.pem: expired at/],
    ["its begin before it", { notBefore: new Date(Date.now() + hour) }, /ca-cert\.pem: is valid from/],
    ["a signature with SHA-1", { hash: "SHA-1" }, /ca-cert\.pem: is signed with SHA-1/],
  ] satisfies readonly (readonly [string, AuthorityChanges, RegExp])[]) {
    test(`refuses an issuing certificate with ${what}`, async () => {
      assert.match((await problemsOf(await certificateFiles(changes))).join("\n"), problem);
    });
  }

  for (const [what, changes, problem] of [
    ["RSA of 1024 bits", { key: rsaKey(1_024) }, /root-cert\.pem: .* has a key that is an RSA key of 1024/],
    ["no CA flag", { isCa: false }, /root-cert\.pem: .* is not a CA's certificate/],
    ["its end behind it", { notAfter: new Date(Date.now() - hour) }, /root-cert\.pem: .* expired at/],
    ["room for no authority below", { pathLength: 0 }, /root-cert\.pem: .* allows 0 authorities below it/],
  ] satisfies readonly (readonly [string, AuthorityChanges, RegExp])[]) {
    test(`refuses a root with ${what}`, async () => {
      assert.match((await problemsOf(await certificateFiles({}, changes))).join("\n"), problem);
    });
  }

  for (const [what, files, problem] of [
    ["another CA's key", { "ca-key.pem": other["ca-key.pem"] }, /ca-key\.pem: is not the key of ca-cert/],
    ["another root", { "root-cert.pem": other["root-cert.pem"] }, /root-cert\.pem: no signatures lead/],
    ["an encrypted key", { "ca-key.pem": encrypted(good["ca-key.pem"]) }, /ca-key\.pem: is encrypted/],
    ["a certificate for a key", { "ca-key.pem": good["ca-cert.pem"] }, /ca-key\.pem: holds no private key/],
    ["a key for a certificate", { "ca-cert.pem": good["ca-key.pem"] }, /ca-cert\.pem: holds no certificate/],
    ["an empty root", { "root-cert.pem": "" }, /root-cert\.pem: holds no certificate/],
    [
      "a broken chain",
      { "cert-chain.pem": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" },
      /cert-chain\.pem: certificate 1 of 1 cannot be read/,
    ],
  ] as const) {
    test(`refuses ${what}`, async () => {
      assert.match((await problemsOf({ ...good, ...files })).join("\n"), problem);
    });
  }

  test("names everything that is wrong at once", async () => {
    const all = Object.fromEntries(caFileNames.map((name) => [name, "nothing"])) as CaFiles;
    assert.equal((await problemsOf(all)).length, caFileNames.length);
  });
});

function encrypted(keyPem: string): string {
  return createPrivateKey(keyPem)
    .export({ format: "pem", type: "pkcs8", cipher: "aes-256-cbc", passphrase: "x" })
    .toString();
}
