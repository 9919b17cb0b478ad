/**
 * Requests for a certificate: whatever they hold, what is signed is the caller's identity with the request's own strong
 * key, and nothing else.
 *
 * An input that begins as DER is the body of a request that is signed rightly, so that its parts are reached; any other
 * is the request as it came.
 */
import assert from "node:assert/strict";
import { createPrivateKey, sign, webcrypto, X509Certificate } from "node:crypto";
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { CertificateAuthority } from "../../../src/controlplane/ca/authority.ts";
import { openSelfSignedCa } from "../../../src/controlplane/ca/material.ts";
import { SigningError } from "../../../src/controlplane/ca/signing-request.ts";
import { createCertificateRequest } from "../../../src/pki/certificate-request.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import type { FuzzTarget } from "../target.ts";

const identity = "spiffe://cluster.local/ns/demo/sa/web";
const request = await createCertificateRequest({ algorithm: "ECDSA", curve: "P256" }, identity);
const rsa = await createCertificateRequest({ algorithm: "RSA", bits: 2_048 }, identity);
const key = createPrivateKey(request.privateKeyPem);
const der = Buffer.from(new x509.Pkcs10CertificateRequest(request.requestPem).rawData);

/** `CertificationRequestInfo`: the first part of the outer sequence (RFC 2986, section 4.2). */
const body = der.subarray(headLength(der), headLength(der) + elementLength(der.subarray(headLength(der))));
const ecdsaWithSha256 = Buffer.from("300a06082a8648ce3d040302", "hex");

function headLength(element: Buffer): number {
  const first = element[1] ?? 0;
  return first < 0x80 ? 2 : 2 + (first & 0x7f);
}

function elementLength(element: Buffer): number {
  const head = headLength(element);
  const first = element[1] ?? 0;
  return head + (first < 0x80 ? first : Number.parseInt(element.subarray(2, head).toString("hex"), 16));
}

function element(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size =
    length < 0x80
      ? Buffer.from([length])
      : Buffer.from([0x83, length >> 16, (length >> 8) & 0xff, length & 0xff]);
  return Buffer.concat([Buffer.from([tag]), size, content]);
}

function signedRequest(info: Buffer): string {
  const signature = element(0x03, Buffer.concat([Buffer.from([0]), sign("sha256", info, key)]));
  return x509.PemConverter.encode(
    element(0x30, Buffer.concat([info, ecdsaWithSha256, signature])),
    "CERTIFICATE REQUEST",
  );
}

export const certificateRequestTarget: FuzzTarget = {
  name: "certificate-request",
  corpus: "certificate-request",
  seeds: [body, body, Buffer.from(request.requestPem), Buffer.from(rsa.requestPem)],
  words: [
    "-----BEGIN CERTIFICATE REQUEST-----\n",
    "-----END CERTIFICATE REQUEST-----\n",
    "spiffe://cluster.local/ns/demo/sa/other",
    "\u0006\u0003U\u001d\u0011",
    "\u0006\u0003U\u001d\u0013\u0004\u0005\u0030\u0003\u0001\u0001\u00ff",
    "\u0000",
    "\u0030\u0080",
    "\u0030\u0084\u00ff\u00ff\u00ff\u00ff",
    "\u00a0\u0000",
    "MII",
    "\n",
    "=",
  ],
  concurrency: 1,
  maxBytes: 65_536,
  open: async () => {
    const folder = temporaryFolder();
    const ca = await openSelfSignedCa(folder.path, "cluster.local");
    const authority = new CertificateAuthority(await ca.read(), { defaultMs: 3_600_000, maxMs: 86_400_000 });
    const signWith = (pem: string): Promise<readonly string[]> =>
      authority.signWorkload(pem, identity, 60_000);
    return {
      feed: async (input) => {
        const pem = input[0] === 0x30 ? signedRequest(input) : input.toString("latin1");
        const chain = await signWith(pem).catch((error: unknown) => {
          assert.ok(error instanceof SigningError, error instanceof Error ? error.stack : String(error));
          assert.notEqual(error.message, "");
          return undefined;
        });
        if (chain !== undefined) await checkSigned(chain, pem);
      },
      whole: async () => {
        for (const pem of [request.requestPem, rsa.requestPem]) await checkSigned(await signWith(pem), pem);
      },
      [Symbol.asyncDispose]: () => {
        folder[Symbol.dispose]();
        return Promise.resolve();
      },
    };
  },
};

async function checkSigned([leafPem = ""]: readonly string[], pem: string): Promise<void> {
  const leaf = new X509Certificate(leafPem);
  assert.equal(leaf.ca, false);
  assert.equal(leaf.subjectAltName, `URI:${identity}`);
  assert.equal(leaf.subject, undefined);
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = leaf.publicKey;
  if (type === "rsa") assert.ok((details?.modulusLength ?? 0) >= 2_048, "a short RSA key was signed");
  else assert.ok(type === "ec" || type === "ed25519", `a key of type ${type} was signed`);
  // As in Go, text around the block is no part of it.
  const [, base64 = ""] = /-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([^-]*)-----END/.exec(pem) ?? [];
  const asked = new x509.Pkcs10CertificateRequest(Buffer.from(base64, "base64"));
  const spki = Buffer.from(await webcrypto.subtle.exportKey("spki", await asked.publicKey.export()));
  assert.deepEqual(leaf.publicKey.export({ type: "spki", format: "der" }), spki);
}
