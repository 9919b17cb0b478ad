import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { secretsInText, secretsOfEnvironment } from "../../../src/telemetry/find-secrets.ts";
import { Redactor } from "../../../src/telemetry/redactor.ts";
import { isDistinctive } from "../../../src/telemetry/secret-forms.ts";

/** What somebody may have as a password or a token. */
const secret = fc
  .tuple(fc.string({ minLength: 10, maxLength: 40, unit: "binary" }), fc.integer({ min: 100, max: 999 }))
  .map(([text, number]) => `${text.trim()}${number}x`)
  .filter((text) => isDistinctive(text) && !/[\r\n\0]/.test(text) && text.isWellFormed());

/** Ways in which a text that leaves may have it. */
const forms: Readonly<Record<string, (value: string) => string>> = {
  raw: (value) => `the value is ${value}!`,
  JSON: (value) => JSON.stringify({ a: { b: [value] } }),
  "JSON in JSON": (value) => JSON.stringify({ text: JSON.stringify({ a: value }) }),
  URL: (value) => `http://host/path?x=${encodeURIComponent(value)}&y=1`,
  "Base64 of it": (value) => Buffer.from(value).toString("base64"),
  "Base64 of a header": (value) => Buffer.from(`user:${value}`).toString("base64"),
  "Base64 of a text around it": (value) => Buffer.from(`some ${value} text`).toString("base64url"),
  "a key of an object": (value) => JSON.stringify({ [value]: 1 }),
};

describe("Redactor", () => {
  test("takes a known secret out in whatever form it stands", () => {
    fc.assert(
      fc.property(secret, fc.constantFrom(...Object.keys(forms)), (value, form) => {
        const redactor = new Redactor(["something else", value]);
        const text = forms[form]?.(value) ?? "";
        const clean = redactor.known(text);
        assert.notEqual(clean, text);
        for (const decoded of [clean, Buffer.from(clean, "base64").toString("utf8"), tryDecode(clean)])
          assert.ok(!decoded.includes(value.trim()), `${form}: ${clean}`);
      }),
      { seed: 20_250_101 },
    );
  });

  test("leaves text alone in which there is none", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        assert.equal(new Redactor(["correct horse battery staple"]).known(text), text);
      }),
    );
  });

  test("takes a private key out line by line, as a log has it", () => {
    const line = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2";
    const pem = `-----BEGIN PRIVATE KEY-----\n${line}\n${line.toLowerCase()}\n-----END PRIVATE KEY-----\n`;
    const redactor = new Redactor([pem]);
    assert.equal(redactor.known(`  ${line}`), "  [redacted]");
  });

  test("keeps numbers, places and common words, which are the value of many things", () => {
    const words = [
      "true",
      "1",
      "10s",
      "secret",
      "istio",
      "/var/run/secrets",
      "localhost",
      "15021",
      "password",
      "",
    ];
    const redactor = new Redactor(words);
    assert.deepEqual(redactor.values, []);
    assert.equal(redactor.known(words.join(" ")), words.join(" "));
  });
});

function tryDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const planted = "s3cr3t-Value/with+signs";

// Where a secret comes from.
const sources = [
  ["a variable of the control plane's headers", { "XDS_HEADER_X-Foo": planted }],
  ["a variable of the CA's headers", { CA_HEADER_AUTHORIZATION: planted }],
  ["a key", { DD_API_KEY: planted }],
  ["a key by another name", { MYKEYFORX: planted }],
  ["a password", { REDIS_PASSWORD: planted }],
  ["a password by a short name", { REDIS_PASS: planted }],
  ["a password by a shorter name", { ROOT_PW: planted }],
  ["a personal access token", { GH_PAT: planted }],
  ["a DSN", { SENTRY_DSN: planted }],
  ["a query", { X: `https://host/?sig=${encodeURIComponent(planted)}` }],
  ["a connection string", { X: `Server=h;Pwd=${planted};` }],
  ["credentials", { AWS_CREDENTIALS: planted }],
  [
    "a URL",
    { REDIS_URL: `redis://:${encodeURIComponent(planted)}@host:6379/0` },
    encodeURIComponent(planted),
  ],
  ["a URL with a user", { X: "https://me:pa55-word@host/" }, "pa55-word"],
  [
    "ProxyConfig as JSON",
    { PROXY_CONFIG: JSON.stringify({ tracing: { lightstep: { accessToken: planted } } }) },
  ],
  ["ProxyConfig as YAML", { PROXY_CONFIG: `tracing:\n  lightstep:\n    accessToken: "${planted}"\n` }],
  [
    "ProxyConfig's metadata",
    { PROXY_CONFIG: JSON.stringify({ proxyMetadata: { "XDS_HEADER_X-A": planted } }) },
  ],
  [
    "ProxyConfig's metadata by name",
    { PROXY_CONFIG: JSON.stringify({ proxyMetadata: { MY_KEY: planted } }) },
  ],
  [
    "a token",
    { ANY: "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl" },
    "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl",
  ],
] as const;

describe("secretsOfEnvironment()", () => {
  for (const [name, env, value = planted] of sources) {
    test(`finds ${name}`, () => {
      const redactor = new Redactor(secretsOfEnvironment(env, () => false));
      assert.ok(!redactor.known(`before ${value} after`).includes(value), redactor.values.join());
    });
  }

  test("finds none in variables that are known to hold none, but within their values", () => {
    const env = { TOKEN_AUDIENCES: "istio-ca-audience", PROXY_CONFIG: "x: https://me:pa55-word@host/" };
    assert.deepEqual(
      secretsOfEnvironment(env, () => true),
      ["pa55-word"],
    );
  });
});

describe("secretsInText()", () => {
  for (const [name, text] of [
    ["JSON", JSON.stringify({ password: { inline_string: planted } })],
    ["JSON with spaces", JSON.stringify({ a: { token: { inline_string: planted } } }, undefined, 2)],
    ["YAML", `password:\n  inline_string: ${planted}\n`],
    ["protobuf text", `password { inline_string: "${planted}" }`],
    ["a header", JSON.stringify({ key: "x-api-key", value: planted })],
  ] as const) {
    test(`finds what a bootstrap has inline, in ${name}`, () => {
      assert.ok(secretsInText(text).includes(planted), secretsInText(text).join());
    });
  }

  test("takes no answer of a route for a secret", () => {
    const text = JSON.stringify({
      direct_response: { body: { inline_string: "hello from the other side" } },
    });
    assert.deepEqual(secretsInText(text), []);
  });
});
