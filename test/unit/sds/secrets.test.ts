import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBinary, toJson } from "@bufbuild/protobuf";
import {
  PrivateKeyMethodConfigSchema,
  SecretSchema,
  SPIFFECertValidatorConfigSchema,
} from "../../../src/proto/agent/secret_pb.js";
import { encodeFederatedRoots, encodeKeyPair, encodeRoots } from "../../../src/sds/secrets.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const pair = { certificateChainPem: "chain", privateKeyPem: "key" };

test("a key pair is a TLS certificate with inline bytes", () => {
  assert.deepEqual(
    toJson(SecretSchema, fromBinary(SecretSchema, encodeKeyPair("default", pair, undefined))),
    {
      name: "default",
      tlsCertificate: {
        certificateChain: { inlineBytes: base64("chain") },
        privateKey: { inlineBytes: base64("key") },
      },
    },
  );
});

test("roots are a validation context with inline bytes, and with the CRL if there is one", () => {
  const decoded = (crl?: string): unknown =>
    toJson(SecretSchema, fromBinary(SecretSchema, encodeRoots("ROOTCA", "root", crl)));
  const trustedCa = { inlineBytes: base64("root") };
  assert.deepEqual(decoded(), { name: "ROOTCA", validationContext: { trustedCa } });
  assert.deepEqual(decoded("revoked"), {
    name: "ROOTCA",
    validationContext: { trustedCa, crl: { inlineBytes: base64("revoked") } },
  });
});

test("with a private key provider the key goes to the provider alone, the whole poll delay with it", () => {
  const provider = { name: "qat", pollDelayMs: 2_005, fallback: true } as const;
  const { type } = fromBinary(SecretSchema, encodeKeyPair("default", pair, provider));
  assert.equal(type.case, "tlsCertificate");
  assert.equal(type.value.privateKey, undefined);
  const { privateKeyProvider } = type.value;
  assert.equal(privateKeyProvider?.providerName, "qat");
  assert.equal(privateKeyProvider.fallback, true);
  assert.match(privateKeyProvider.typedConfig?.typeUrl ?? "", /qat\.v3alpha\.QatPrivateKeyMethodConfig$/);
  const method = fromBinary(
    PrivateKeyMethodConfigSchema,
    privateKeyProvider.typedConfig?.value ?? new Uint8Array(),
  );
  assert.equal(method.pollDelay?.seconds, 2n);
  assert.equal(method.pollDelay.nanos, 5_000_000);
});

test("roots of several trust domains are one bundle each, of which the workload's own has the CRL and its aliases", () => {
  const federation = {
    trustDomains: ["cluster.local", "former.org", "other.org"],
    bundles: new Map([["other.org", "other root"]]),
  };
  const { type } = fromBinary(SecretSchema, encodeFederatedRoots("ROOTCA", "root", federation, "revoked"));
  assert.equal(type.case, "validationContext");
  assert.equal(type.value.trustedCa, undefined, "no root may vouch for every name");
  const { name, typedConfig } = type.value.customValidatorConfig ?? {};
  assert.equal(name, "envoy.tls.cert_validator.spiffe");
  assert.match(typedConfig?.typeUrl ?? "", /tls\.v3\.SPIFFECertValidatorConfig$/);
  const config = fromBinary(SPIFFECertValidatorConfigSchema, typedConfig?.value ?? new Uint8Array());
  assert.deepEqual(toJson(SPIFFECertValidatorConfigSchema, config), {
    trustDomains: [
      { name: "cluster.local", trustBundle: { inlineBytes: base64("root\nrevoked") } },
      { name: "former.org", trustBundle: { inlineBytes: base64("root\nrevoked") } },
      { name: "other.org", trustBundle: { inlineBytes: base64("other root") } },
    ],
  });
});
