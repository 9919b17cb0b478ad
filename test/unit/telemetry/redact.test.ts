import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { redactLines, redactText } from "../../../src/telemetry/redact.ts";
import { isSecretName } from "../../../src/telemetry/secret-names.ts";

const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const body = pem.split("\n").slice(1, -2);
const jwt = `eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ3ZWIifQ.${randomBytes(64).toString("base64url")}`;
const secret = "s3cr3t-v4lue";

describe("redactText() takes out", () => {
  for (const [name, text, hidden] of [
    ["a private key", `before\n${pem}after`, body],
    ["a private key in JSON", JSON.stringify({ private_key: { inline_string: pem } }), body],
    ["a private key in JSON in JSON", JSON.stringify(JSON.stringify({ inline_string: pem })), body],
    [
      "a private key in protobuf text",
      `private_key {\n  inline_string: "${pem.replaceAll("\n", "\\n")}"\n}`,
      body,
    ],
    ["a private key without its end", pem.slice(0, 150), body.slice(0, 1)],
    ["a private key without its beginning", pem.slice(40), body.map((line) => line.slice(-12))],
    ["one line of a key", `key is ${body[0]}`, body.slice(0, 1)],
    [
      "key bytes",
      `"inline_bytes": "${Buffer.from(pem).toString("base64")}"`,
      [Buffer.from(pem).toString("base64").slice(0, 40)],
    ],
    ["an own key in a traditional label", pem.replaceAll("PRIVATE KEY", "RSA PRIVATE KEY"), body],
    ["a JWT", `token for ${jwt} was refused`, [jwt, jwt.split(".")[1]]],
    ["a bearer token in a header", `authorization: Bearer ${secret}`, [secret]],
    ["a bearer token in JSON", `{"key": "x", "value": "Bearer ${secret}"}`, [secret]],
    ["basic authentication", `Authorization: Basic ${btoa(secret)}`, [btoa(secret)]],
    ["a password in JSON", `{"password": "${secret}"}`, [secret]],
    ["a password in YAML", `password: ${secret}\nuser: web`, [secret]],
    ["a password in protobuf text", `password { inline_string: "${secret}" }`, [secret]],
    ["a variable", `DB_PASSWORD=${secret} PATH=/bin`, [secret]],
    ["a variable inside a value", `env: DB_PASSWORD=${secret}`, [secret]],
    ["a flag inside JSON", `{"args": ["--password=${secret}"]}`, [secret]],
    ["a value after another name", `bad value: password: ${secret}`, [secret]],
    ["a flag", `--api-key=${secret} --verbose`, [secret]],
    ["a quoted value with an escaped quote", `{"clientSecret": "a\\"${secret}"}`, [secret]],
    ["a value whose end was cut off", `{"clientSecret": "${secret}`, [secret]],
    ["credentials of a URL", `https://user:${secret}@example.com/`, [secret]],
    ["a header by its name", `{"key": "x-api-key", "value": "${secret}"}`, [secret]],
    ["a header of protobuf text", `header {\n key: "x-api-key"\n value: "${secret}"\n}`, [secret]],
  ] as const) {
    test(name, () => {
      const result = redactText(text);
      for (const part of hidden) {
        assert.ok(part !== undefined && text.includes(part), "the text does not hold the secret");
        assert.ok(!result.includes(part), result);
      }
      assert.match(result, /\[redacted/);
    });
  }
});

describe("redactText() keeps", () => {
  for (const text of [
    '{"sds_config": {"path_config_source": {"path": "/x"}}, "name": "default"}',
    '"tls_certificate_sds_secret_configs": [{"name": "default"}]',
    '"private_key": {"filename": "/etc/certs/key.pem"}',
    '"token_bucket": {"max_tokens": 100, "tokens_per_fill": 100}',
    "secret_name: kubernetes://web-cert",
    "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUHn7zXv3bTn0N2dV1y2o0qN4yPqkwCgYIKoZIzj0EAwIw\n-----END CERTIFICATE-----",
    "Envoy version: 9e5580933739775e8bce696a57a2e1bc99368f23/1.40.0/Clean/RELEASE/BoringSSL",
    "sha256 a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884",
    "https://example.com:8080/path",
    "the control plane refused the token: it is expired",
  ]) {
    test(text.slice(0, 60).replaceAll("\n", " "), () => {
      assert.equal(redactText(text), text);
    });
  }
});

test("redactText() takes out known values in every usual form", () => {
  const known = "öffne dich/Sesam+1";
  const text = [
    known,
    JSON.stringify(known),
    encodeURIComponent(known),
    Buffer.from(known).toString("base64"),
  ];
  const result = redactText(text.join("\n"), [`${known}\n`, "a"]);
  assert.ok(!result.includes("Sesam"), result);
  assert.ok(!result.includes(Buffer.from(known).toString("base64").slice(0, 16)), result);
});

test("redactLines() sees a key that stretches over lines", () => {
  const lines = redactLines(["one", ...pem.trim().split("\n"), "two"]);
  assert.deepEqual(lines, ["one", "[redacted private key]", "two"]);
});

// Processor time, which a busy machine does not lengthen; quadratic time would be minutes.
test("redactText() takes linear time on hostile input", () => {
  const before = process.cpuUsage();
  for (const part of [
    "a",
    "A1b/",
    "password:",
    "-----BEGIN PRIVATE KEY-----",
    '\\"',
    "x=",
    "eyJ",
    'key:"a",',
    "://a:",
  ]) {
    redactText(part.repeat(300_000 / part.length));
  }
  const usedMs = process.cpuUsage(before).user / 1_000;
  assert.ok(usedMs < 5_000, `${usedMs} ms`);
});

describe("isSecretName()", () => {
  for (const [name, expected] of [
    ["DB_PASSWORD", true],
    ["clientSecret", true],
    ["x-api-key", true],
    ["access_token", true],
    ["privateKey", true],
    ["JWT", true],
    ["token_path", false],
    ["tlsCertificateSdsSecretConfigs", false],
    ["secret_name", false],
    ["CREDENTIAL_FETCHER_TYPE", false],
    ["cluster", false],
  ] as const) {
    test(name, () => {
      assert.equal(isSecretName(name), expected);
    });
  }
});
