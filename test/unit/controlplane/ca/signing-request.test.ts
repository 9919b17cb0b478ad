import assert from "node:assert/strict";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { CertificateAuthority } from "../../../../src/controlplane/ca/authority.ts";
import { checkCaFiles } from "../../../../src/controlplane/ca/check-material.ts";
import { readSigningRequest, SigningError } from "../../../../src/controlplane/ca/signing-request.ts";
import * as der from "../../../../src/pki/der.ts";
import { toPem } from "../../../../src/pki/pem.ts";
import { createCertificateRequest } from "../../../../src/pki/certificate-request.ts";
import { certificateFiles } from "../../../support/ca-files.ts";
import { extension, requestDer, requestPem } from "../../../support/signing-requests.ts";

const id = "spiffe://cluster.local/ns/demo/sa/web";
const rsa = (modulusLength: number, publicExponent = 65_537): ReturnType<typeof generateKeyPairSync> =>
  generateKeyPairSync("rsa", { modulusLength, publicExponent });
const ec = (namedCurve: string): ReturnType<typeof generateKeyPairSync> =>
  generateKeyPairSync("ec", { namedCurve });
const p256 = ec("prime256v1");

async function refused(pem: string, reason: RegExp): Promise<void> {
  await assert.rejects(readSigningRequest(pem), (error) => {
    assert.ok(error instanceof SigningError, String(error));
    assert.match(error.message, reason);
    return true;
  });
}

describe("readSigningRequest()", () => {
  for (const key of [
    { algorithm: "RSA", bits: 2_048 },
    { algorithm: "ECDSA", curve: "P256" },
    { algorithm: "ECDSA", curve: "P384" },
  ] as const) {
    test(`takes the agent's own with ${JSON.stringify(key)}`, async () => {
      assert.ok(await readSigningRequest((await createCertificateRequest(key, id)).requestPem));
    });
  }

  test("takes P-521, other hashes of the family, another label and text around it", async () => {
    const pem = requestPem(ec("secp521r1"), "ECDSA SHA-512");
    assert.ok(await readSigningRequest(`Subject: none\n${pem}\n`));
    assert.ok(await readSigningRequest(toPem("NEW CERTIFICATE REQUEST", requestDer(p256, "ECDSA SHA-256"))));
  });

  for (const [what, pem, reason] of [
    ["RSA of 512 bits", () => requestPem(rsa(512), "RSA SHA-256"), /key is an RSA key of 512 bits.*2048/],
    ["RSA of 1024 bits", () => requestPem(rsa(1_024), "RSA SHA-256"), /RSA key of 1024 bits/],
    ["RSA of 2047 bits", () => requestPem(rsa(2_047), "RSA SHA-256"), /RSA key of 2047 bits/],
    ["a modulus of 16384 bits", () => toPem("CERTIFICATE REQUEST", hugeModulus(16_384)), /8192 bits at most/],
    ["the exponent 1", () => toPem("CERTIFICATE REQUEST", hugeModulus(2_048, 1)), /exponent 1/],
    ["the exponent 4", () => toPem("CERTIFICATE REQUEST", hugeModulus(2_048, 4)), /exponent 4/],
    ["an unknown curve", () => requestPem(ec("secp256k1"), "ECDSA SHA-256"), /curve secp256k1.*P-256/],
    ["P-224", () => requestPem(ec("secp224r1"), "ECDSA SHA-256"), /curve secp224r1/],
    ["Ed25519", () => requestPem(generateKeyPairSync("ed25519"), "Ed25519"), /ed25519: it must be RSA or/],
    ["RSA with SHA-1", () => requestPem(rsa(2_048), "RSA SHA-1"), /signed with .*SHA-1/],
    ["RSA with MD5", () => requestPem(rsa(2_048), "RSA MD5"), /signed with 1\.2\.840\.113549\.1\.1\.4/],
    ["ECDSA with SHA-1", () => requestPem(p256, "ECDSA SHA-1"), /signed with .*SHA-1/],
    [
      "a key that the caller has not",
      () => requestPem(p256, "ECDSA SHA-256", { signedBy: ec("prime256v1").privateKey }),
      /signature does not fit its public key/,
    ],
    ["nothing", () => "", /0 PEM blocks/],
    ["a certificate", () => "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", /0 PEM blocks/],
    ["two requests", () => requestPem(p256, "ECDSA SHA-256").repeat(2), /2 PEM blocks/],
    [
      "something behind the request",
      () =>
        toPem("CERTIFICATE REQUEST", Buffer.concat([requestDer(p256, "ECDSA SHA-256"), Buffer.from([5, 0])])),
      /something follows it/,
    ],
    ["no DER", () => toPem("CERTIFICATE REQUEST", Buffer.from("hello")), /structure cannot be read/],
    [
      "no base64",
      () => "-----BEGIN CERTIFICATE REQUEST-----\n?\n-----END CERTIFICATE REQUEST-----",
      /not base64/,
    ],
    ["1 MiB", () => "A".repeat(1_048_576), /longer than 32768 characters/],
    ["a thousand nested sequences", () => toPem("CERTIFICATE REQUEST", nested(1_000)), /cannot be read/],
  ] as const) {
    test(`refuses ${what}`, () => refused(pem(), reason));
  }

  test("of damaged requests, refuses each with a reason, unless what its key signed is whole", async () => {
    const good = requestDer(p256, "ECDSA SHA-256");
    const ownKey = p256.publicKey.export({ format: "der", type: "spki" });
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const damaged = Buffer.from(good);
        damaged[at] = (damaged[at] ?? 0) ^ change;
        try {
          const { rawData } = await readSigningRequest(toPem("CERTIFICATE REQUEST", damaged));
          assert.deepEqual(Buffer.from(rawData), ownKey);
        } catch (error) {
          assert.ok(error instanceof SigningError, String(error));
          assert.match(error.message, /^the CSR/);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("CertificateAuthority", async () => {
  const files = await certificateFiles();
  const authority = new CertificateAuthority(await checkCaFiles("test", files, new Date()), {
    defaultMs: 3_600_000,
    maxMs: 7_200_000,
  });
  const pem = requestPem(p256, "ECDSA SHA-256", {
    extensions: [
      extension("2.5.29.17", der.sequence(der.contextual(2, Buffer.from("bank.example"), "primitive"))),
      extension("2.5.29.19", der.sequence(der.booleanTrue())),
      extension("2.5.29.15", Buffer.from([0x03, 0x02, 0x01, 0x06])),
    ],
  });

  test("gives the caller's identity only, whatever names and rights the request asks for", async () => {
    const [leaf = ""] = await authority.signWorkload(pem, id, 0);
    const certificate = new X509Certificate(leaf);
    assert.equal(certificate.subjectAltName, `URI:${id}`);
    assert.equal(certificate.ca, false);
    assert.ok(certificate.publicKey.equals(p256.publicKey));
    assert.ok(certificate.verify(new X509Certificate(files["ca-cert.pem"]).publicKey));
  });

  for (const [asked, seconds] of [
    [0, 3_600],
    [-1, 3_600],
    [60_000, 60],
    [7_200_000, 7_200],
  ] as const) {
    test(`a lifetime of ${asked} ms is one of ${seconds} s`, async () => {
      const [leaf = ""] = await authority.signWorkload(pem, id, asked);
      const leftMs = new X509Certificate(leaf).validToDate.getTime() - Date.now();
      assert.ok(Math.abs(leftMs - seconds * 1_000) < 30_000, `${leftMs} ms are left`);
    });
  }

  for (const asked of [7_200_001, 2 ** 63, Infinity]) {
    test(`a lifetime of ${asked} ms is refused`, async () => {
      await assert.rejects(authority.signWorkload(pem, id, asked), /greater than the max allowed TTL 7200s/);
    });
  }

  test("no certificate outlives the CA's own, and an expired CA signs none", async () => {
    const short = await certificateFiles({ notAfter: new Date(Date.now() + 60_000) });
    const material = await checkCaFiles("test", short, new Date());
    const dying = new CertificateAuthority(material, { defaultMs: 3_600_000, maxMs: 3_600_000 });
    const [leaf = ""] = await dying.signWorkload(pem, id, 0);
    assert.ok(new X509Certificate(leaf).validToDate.getTime() <= material.certificate.notAfter.getTime());
    const old = await certificateFiles({ notAfter: new Date(Date.now() - 60_000) });
    const expired = await checkCaFiles("test", old, new Date(Date.now() - 120_000));
    dying.replace(expired);
    await assert.rejects(dying.signWorkload(pem, id, 0), /own certificate expired/);
  });

  for (const identity of ["spiffe://cluster.local/ns/a/../sa/b", "spiffe://c/ns/a\n", "cluster.local"]) {
    test(`never signs for ${JSON.stringify(identity)}`, async () => {
      await assert.rejects(authority.signWorkload(pem, identity, 0), /no SPIFFE ID/);
    });
  }
});

/** A request whose key nobody has: what is looked at before the signature. */
function hugeModulus(bits: number, exponent = 65_537): Buffer {
  const integer = (bytes: Buffer): Buffer =>
    Buffer.concat([Buffer.from([0x02]), lengthOf(bytes.length), bytes]);
  const modulus = Buffer.concat([Buffer.from([0]), Buffer.alloc(bits / 8, 0xff)]);
  const exponentBytes = Buffer.from(exponent.toString(16).padStart(6, "0"), "hex");
  const publicKey = der.sequence(integer(modulus), integer(trimmed(exponentBytes)));
  const spki = der.sequence(
    der.sequence(der.objectIdentifier("1.2.840.113549.1.1.1"), Buffer.from([5, 0])),
    der.bitString(publicKey),
  );
  const information = der.sequence(
    der.smallInteger(0),
    der.sequence(),
    spki,
    der.contextual(0, Buffer.alloc(0), "constructed"),
  );
  return der.sequence(
    information,
    der.sequence(der.objectIdentifier("1.2.840.113549.1.1.11"), Buffer.from([5, 0])),
    der.bitString(Buffer.alloc(256, 1)),
  );
}

function trimmed(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  return bytes.subarray(Math.max(first, 0));
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  return length < 0x100 ? Buffer.from([0x81, length]) : Buffer.from([0x82, length >> 8, length & 0xff]);
}

function nested(depth: number): Buffer {
  let bytes: Buffer = Buffer.from([5, 0]);
  for (let level = 0; level < depth; level += 1) bytes = der.sequence(bytes);
  return bytes;
}
