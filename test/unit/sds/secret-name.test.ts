import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSecretName } from "../../../src/sds/secret-name.ts";

test("the names of Istio's configuration are known", () => {
  assert.deepEqual(parseSecretName("default"), { kind: "workload" });
  assert.deepEqual(parseSecretName("ROOTCA"), { kind: "root" });
  assert.deepEqual(parseSecretName("file-cert:/a/chain.pem~/a/key.pem"), {
    kind: "file-pair",
    certificateChainPath: "/a/chain.pem",
    privateKeyPath: "/a/key.pem",
  });
  assert.deepEqual(parseSecretName("file-root:/a/root.pem"), { kind: "file-root", path: "/a/root.pem" });
  assert.deepEqual(parseSecretName("file-root:system"), { kind: "system-roots" });
});

test("any other name is not", () => {
  for (const name of [
    "",
    " ",
    "*",
    "Default",
    "default ",
    "rootca",
    "kubernetes://default",
    "sds://default",
    "file-cert:",
    "file-cert:a",
    "file-cert:a~",
    "file-cert:~b",
    "file-cert:a~b~c",
    "file-root:",
  ]) {
    assert.equal(parseSecretName(name), undefined, JSON.stringify(name));
  }
});
