import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { readPushedBundle } from "../../../src/identity/pushed-bundle.ts";
import { TestPki } from "../../support/test-pki.ts";

const { rootPem } = await TestPki.create();

function proxyConfig(...rootsPem: readonly string[]): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.LengthDelimited).string("./etc/istio/proxy");
  writer.tag(5, WireType.Varint).uint32(7);
  for (const pem of rootsPem) writer.tag(34, WireType.LengthDelimited).string(pem);
  return writer.finish();
}

describe("readPushedBundle()", () => {
  test("reads the roots and nothing else of a ProxyConfig", () => {
    const bundle = readPushedBundle(proxyConfig(rootPem, `${rootPem}${rootPem}`));
    assert.deepEqual(bundle, { kind: "read", rootsPem: [rootPem, `${rootPem}${rootPem}`] });
  });

  test("an empty one takes the roots away", () => {
    for (const empty of [undefined, new Uint8Array(), proxyConfig()])
      assert.deepEqual(readPushedBundle(empty), { kind: "read", rootsPem: [] });
  });

  test("refuses the whole for a part without a certificate, and names it", () => {
    assert.deepEqual(readPushedBundle(proxyConfig(rootPem, "no certificate")), {
      kind: "refused",
      reason: "ca_certificates_pem[1] holds no PEM certificate",
    });
  });

  test("refuses what is no message", () => {
    assert.equal(readPushedBundle(Buffer.from("0aff", "hex")).kind, "refused");
  });
});
