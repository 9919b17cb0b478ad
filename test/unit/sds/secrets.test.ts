import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBinary, toJson } from "@bufbuild/protobuf";
import { SecretSchema } from "../../../src/proto/agent/secret_pb.js";
import { encodeSecret } from "../../../src/sds/secrets.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");

test("the workload's secret is a TLS certificate with inline bytes", () => {
  const bytes = encodeSecret("default", { workload: { certificateChainPem: "chain", privateKeyPem: "key" } });
  assert.ok(bytes);
  assert.deepEqual(toJson(SecretSchema, fromBinary(SecretSchema, bytes)), {
    name: "default",
    tlsCertificate: {
      certificateChain: { inlineBytes: base64("chain") },
      privateKey: { inlineBytes: base64("key") },
    },
  });
});

test("the root's secret is a validation context with inline bytes", () => {
  const bytes = encodeSecret("ROOTCA", { rootPem: "root" });
  assert.ok(bytes);
  assert.deepEqual(toJson(SecretSchema, fromBinary(SecretSchema, bytes)), {
    name: "ROOTCA",
    validationContext: { trustedCa: { inlineBytes: base64("root") } },
  });
});

test("what does not exist yet has no encoding", () => {
  assert.equal(encodeSecret("default", { rootPem: "root" }), undefined);
  assert.equal(encodeSecret("ROOTCA", {}), undefined);
});
