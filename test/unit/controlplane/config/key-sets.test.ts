/** Of a set of keys only that is pushed which Envoy reads: its parser of JSON refuses more than that of Node.js. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { describe, test } from "node:test";
import { usableKeySet } from "../../../../src/controlplane/config/key-sets.ts";

const key = '{"kty":"oct","k":"YWI"}';
const plain = `{"keys":[${key}]}`;

describe("a set of keys is written anew", () => {
  for (const [what, set] of [
    ["with a number that is none of Envoy's", `{"keys":[${key}],"x":1e400}`],
    ["with lists in lists", `{"keys":[${key}],"x":${"[".repeat(150)}${"]".repeat(150)}}`],
    ["with half a character", `{"keys":[${key}],"x":"\\ud800"}`],
    ["with a name twice", `{"keys":[],"x":1,"x":2,"keys":[${key}]}`],
    ["with much that is no key", `{"x":"${"x".repeat(200_000)}","keys":[${key}]}`],
    ["with more in a key", '{"keys":[{"kty":"oct","k":"YWI","d":"secret","x5c":["a"],"use":"sig"}]}'],
    ["with padding", '{"keys":[{"kty":"oct","k":"YWI=="}]}'],
    ["with bits beyond the last byte", '{"keys":[{"kty":"oct","k":"YWJ"}]}'],
    [
      "with keys that cannot be used",
      `{"keys":[5,null,{"kty":1},{"kty":"oct"},{"kty":"oct","k":"!!"},{"kty":"oct","k":"YQ","alg":"HSxyz"},{"kty":"oct","k":"YQ","alg":9},{"kty":"oct","k":"YQ","kid":"\\ud800"},${key}]}`,
    ],
  ] as const)
    test(what, () => {
      assert.equal(usableKeySet(set), plain);
    });

  test("with the public half of a pair, whose name and algorithm stay", () => {
    for (const [alg, pair] of [
      ["ES256", generateKeyPairSync("ec", { namedCurve: "P-256" })],
      ["PS256", generateKeyPairSync("rsa", { modulusLength: 2048 })],
      ["EdDSA", generateKeyPairSync("ed25519")],
    ] as const) {
      const said = { kid: "a", alg };
      const whole = { ...pair.privateKey.export({ format: "jwk" }), ...said };
      const half = { ...pair.publicKey.export({ format: "jwk" }), ...said };
      assert.deepEqual(JSON.parse(usableKeySet(JSON.stringify({ keys: [whole] })) ?? ""), { keys: [half] });
    }
  });

  for (const set of [
    "",
    "[]",
    "{",
    '{"keys":{}}',
    '{"keys":[]}',
    '{"keys":[{"kty":"RSA","alg":"RS999","n":"AQAB","e":"AQAB"}]}',
    `{"keys":[{"kty":"oct","k":"${"a".repeat(70_000)}"}]}`,
  ])
    test(`and there is none of ${set.slice(0, 60)}`, () => {
      assert.equal(usableKeySet(set), undefined);
    });
});
