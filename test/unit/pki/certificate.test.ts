import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { chainsToRoot, keyFitsCertificate, readCertificate } from "../../../src/pki/certificate.ts";
import { createCertificateRequest } from "../../../src/pki/certificate-request.ts";
import { joinPem, splitPem } from "../../../src/pki/pem.ts";
import { TestPki, validity } from "../../support/test-pki.ts";

const spiffeId = "spiffe://cluster.local/ns/demo/sa/web";

describe("a certificate", async () => {
  const [pki, other] = await Promise.all([TestPki.create(), TestPki.create()]);
  const request = await createCertificateRequest({ algorithm: "ECDSA", curve: "P256" }, spiffeId);
  const valid = validity(-60_000, 60_000);
  const leaf = await pki.sign(request.requestPem, valid);

  test("tells its validity in whole seconds, its identity and its serial", () => {
    const facts = readCertificate(leaf);
    assert.deepEqual(facts.uris, [spiffeId]);
    assert.equal(Math.floor(valid.notAfter.getTime() / 1_000) * 1_000, facts.notAfter.getTime());
    assert.match(facts.serial, /^[0-9A-F]+$/);
  });

  test("fits its own key only", async () => {
    assert.equal(keyFitsCertificate(request.privateKeyPem, leaf), true);
    const stranger = await createCertificateRequest({ algorithm: "ECDSA", curve: "P256" }, spiffeId);
    assert.equal(keyFitsCertificate(stranger.privateKeyPem, leaf), false);
  });

  test("chains to the root that signed it and to no other", () => {
    assert.equal(chainsToRoot(leaf, [], [pki.rootPem]), true);
    assert.equal(chainsToRoot(leaf, [], [other.rootPem, pki.rootPem]), true);
    assert.equal(chainsToRoot(leaf, [], [other.rootPem]), false);
  });

  test("chains over intermediates in any order", async () => {
    const intermediate = await pki.intermediate();
    const below = await intermediate.sign(request.requestPem, valid);
    const chain = [pki.rootPem, intermediate.rootPem];
    assert.equal(chainsToRoot(below, chain, [pki.rootPem]), true);
    assert.equal(chainsToRoot(below, [], [pki.rootPem]), false);
    assert.equal(chainsToRoot(below, chain, [other.rootPem]), false);
  });

  test("is found in a bundle with other text, and joined again one to a line", () => {
    const bundle = `# comment\n${pki.rootPem.trim()}\n\n${leaf.trim()}`;
    assert.deepEqual(splitPem(bundle), [pki.rootPem.trim(), leaf.trim()]);
    assert.equal(joinPem(splitPem(bundle)), `${pki.rootPem.trim()}\n${leaf.trim()}\n`);
  });
});
