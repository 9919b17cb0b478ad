import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { slices } from "../../../src/envoy/exits/admin-snapshot.ts";
import { mayHoldSecret, secretsInText } from "../../../src/telemetry/find-secrets.ts";
import { redactText } from "../../../src/telemetry/redact.ts";
import { redactDocument } from "../../../src/telemetry/redact-json.ts";
import { isSecretName } from "../../../src/telemetry/secret-names.ts";
import { isDistinctive } from "../../../src/telemetry/secret-forms.ts";

const secretNames = [
  ...[
    "REDIS_PASS",
    "DB_PASS",
    "DBPASS",
    "ROOT_PW",
    "rootpw",
    "MYSQL_PWD",
    "GH_PAT",
    "SENTRY_DSN",
    "Auth-Pin",
  ],
  ...["x-datadog-key", "x-honeycomb-team", "signing-key", "license_key", "Ocp-Apim-Subscription-Key"],
  ...["licenseKey", "AccountKey", "SharedAccessKey", "REDIS_AUTH", "x-hub-sig", "requestSignature", "Pwd"],
  ...["SLACK_WEBHOOK", "AZURE_CONNECTION_STRING", "ENCRYPTION_KEYS"],
];

/** Most of them are fields of Envoy. */
const harmlessNames = [
  ...["publicKey", "keyword", "monkey", "key", "keys", "tls_certificate_sds", "hash_key", "header_key"],
  ...["tag_name", "stat_prefix", "runtime_key", "idle_timeout_runtime_key", "metadata_key", "descriptor_key"],
  ...["map_key", "json_key", "string_key", "object_key", "cache_key", "connection_key", "generic_key"],
  ...["group_metadata_key", "request_id_metadata_key", "token_metadata_key", "selected_host_key"],
  ...[
    "bootstrap_metadata_labels_key",
    "tlv_as_pool_key",
    "max_session_keys",
    "filterStateKey",
    "topologyKey",
  ],
  ...["bypass", "compass", "compat", "http_compat", "pattern", "path", "spin", "config", "design", "assign"],
  ...["PWD", "OLDPWD", "authority", "ext_authz", "dns_lookup_family", "x-author", "max_keys"],
];

describe("isSecretName()", () => {
  for (const name of secretNames) {
    test(`is true of ${name}`, () => {
      assert.equal(isSecretName(name), true);
    });
  }
  for (const name of harmlessNames) {
    test(`is false of ${name}`, () => {
      assert.equal(isSecretName(name), false);
    });
  }
});

/** What somebody may have as a secret, in characters that need no escape anywhere. */
const secret = fc
  .stringMatching(/^[A-Za-z][A-Za-z0-9]{9,22}$/)
  .map((text) => `${text}7x`)
  .filter(isDistinctive);

const other = { key: "x-request-id", value: "of-the-request" };
const bootstrap = (field: string, items: readonly unknown[]): object => ({
  tracing: { http: { typed_config: { grpc_service: { [field]: items } } } },
  node: { id: "sidecar" },
});

/** Where a secret stands without a pattern of its own. */
const places: Readonly<Record<string, (value: string) => string>> = {
  ...Object.fromEntries(
    secretNames.map((name) => [`an assignment to ${name}`, (value: string) => `A=b ${name}=${value}\n`]),
  ),
  "metadata of the node": (value) => JSON.stringify({ node: { metadata: { REDIS_PASS: value } } }),
  "proxyMetadata in a variable": (value) =>
    `PROXY_CONFIG=${JSON.stringify({ proxyMetadata: { GH_PAT: value } })}`,
  "proxyMetadata in YAML": (value) => `proxyMetadata:\n  MYSQL_PWD: ${value}\n`,
  "a query's sig": (value) => `https://host/path?sv=2024&sig=${value}&se=1`,
  "a query's key": (value) => `GET /path?a=b&key=${value} HTTP/1.1`,
  "a query's key in JSON": (value) => JSON.stringify({ uri: `https://host/?key=${value}#x` }),
  "a query whose & is escaped": (value) => String.raw`{"uri":"https://host/?a=b\u0026key=${value}"}`,
  "a URL's password with a slash": (value) => `https://u:a/${value}@h/`,
  "a URL's password with an @": (value) => `https://u:${value}@b@h/`,
  "a URL's password of a list": (value) => `kafka://a:1,kafka://u:${value}@h:2/x`,
  "a short URL's user": (value) => JSON.stringify({ url: `https://${value.slice(-10)}@host/` }),
  "a URL's user with an empty password": (value) => `https://${value}:@host/`,
  "a URL's user beside a password": (value) => `https://${value}:x-oauth-basic@host/`,
  "a webhook of Slack": (value) => `https://hooks.slack.com/services/T0A1/B0C2/${value}`,
  "a webhook of Discord": (value) => `https://discord.com/api/webhooks/123456/${value}`,
  "a path that nobody can guess": (value) => `https://host/in/aB3dE5gH7${value}/x`,
  "a connection string": (value) => `Server=h;Uid=me;Pwd=${value};Encrypt=yes`,
  "a connection string in capitals": (value) => `"Driver={ODBC};UID=me;PWD=${value};"`,
  "a connection string with braces": (value) => `Uid=me;Pwd={${value}};`,
  "a connection string's AccountKey": (value) => `AccountName=x;AccountKey=${value}==;EndpointSuffix=y`,
  "a connection string in JSON": (value) =>
    JSON.stringify({ s: `Endpoint=sb://x/;SharedAccessKey=${value}` }),
  ...Object.fromEntries(
    [
      ...["initial_metadata", "initialMetadata", "request_headers_to_add", "responseHeadersToAdd"],
      ...["headers", "headers_to_set"],
    ].flatMap((field) => [
      [
        `${field} by key`,
        (value: string) => JSON.stringify(bootstrap(field, [other, { key: "x-foo", value }])),
      ],
      [
        `${field} by name`,
        (value: string) => JSON.stringify(bootstrap(field, [{ name: "x-foo", value }]), undefined, 2),
      ],
      [
        `${field}, the value first`,
        (value: string) => JSON.stringify(bootstrap(field, [{ value, key: "x-foo" }])),
      ],
      [
        `${field} by header`,
        (value: string) =>
          JSON.stringify(bootstrap(field, [{ header: other }, { header: { key: "x-foo", value } }])),
      ],
      [
        `${field} after a bracket in a text`,
        (value: string) =>
          JSON.stringify(
            bootstrap(field, [
              { key: "via", value: "a]}\"']}" },
              { key: "x-foo", value },
            ]),
          ),
      ],
      [
        `${field} in JSON in JSON`,
        (value: string) => JSON.stringify(JSON.stringify(bootstrap(field, [{ key: "x-foo", value }]))),
      ],
      [
        `${field} in YAML`,
        (value: string) =>
          `a:\n  ${field}:\n  - key: via\n    value: x\n  - key: x-foo\n    value: ${value}\nb: c\n`,
      ],
      [`${field} in protobuf text`, (value: string) => `${field} {\n  key: "x-foo"\n  value: "${value}"\n}`],
      [
        `${field} that was cut off`,
        (value: string) => JSON.stringify(bootstrap(field, [{ key: "x-foo", value }])).slice(0, -30),
      ],
    ]),
  ),
  "a header by its name alone": (value) => JSON.stringify({ key: "x-datadog-key", value }),
};

describe("a secret is taken out of", () => {
  for (const [name, write] of Object.entries(places)) {
    test(name, () => {
      fc.assert(
        fc.property(secret, (value) => {
          const text = write(value);
          const hidden = text.includes(value) ? value : value.slice(-10);
          assert.ok(mayHoldSecret(text), "the pre-check keeps the patterns from it");
          for (const clean of [redactText(text), redactDocument(text)]) {
            assert.ok(!clean.includes(hidden), clean);
            assert.match(clean, /\[redacted/);
          }
          // What stands in a configuration is then known wherever it comes up.
          const found = secretsInText(text);
          assert.ok(
            found.some((one) => one.includes(hidden)),
            found.join(),
          );
        }),
        { numRuns: 20, seed: 20_250_101 },
      );
    });
  }
});

describe("nothing is taken out of", () => {
  for (const text of [
    JSON.stringify(bootstrap("request_headers_to_add", [{ header: other, append_action: "ADD_IF_ABSENT" }])),
    JSON.stringify(bootstrap("request_headers_to_add", [{ key: "x-client", value: "%REQ(:authority)%" }])),
    JSON.stringify({ labels: [{ key: "app", value: "web" }], runtime_key: "a.b.c", hash_key: "x" }),
    JSON.stringify({ headers: [{ name: ":path", string_match: { exact: "/x" } }], stat_prefix: "a" }),
    JSON.stringify({ initial_metadata: [] }) + JSON.stringify({ key: "cluster", value: "outbound" }),
    "PWD=/home/application\nOLDPWD=/tmp\n",
    "http://host:8080/path/user@example.com",
    "http://[::1]:15000/path/user@example.com",
    "ssh://git@example.com/repository",
    "https://host/path?page=2&format=json&usedonly",
    "https://storage.googleapis.com/istio-release/releases/1.27.0/deb/istio-sidecar-amd64.deb",
    "spiffe://cluster.local/ns/demo/sa/a-service-account-with-a-long-name",
    "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
    "the pass was: complete, the pattern sig is fine",
  ]) {
    test(text.slice(0, 70).replaceAll("\n", " "), () => {
      assert.equal(redactText(text), text);
      if (text.startsWith("{") && !text.includes("}{"))
        assert.deepEqual(JSON.parse(redactDocument(text)), JSON.parse(text));
    });
  }

  test("a header's common word elsewhere", () => {
    assert.deepEqual(
      secretsInText(JSON.stringify(bootstrap("headers", [{ key: "x-env", value: "staging" }]))),
      [],
    );
  });
});

const golden = new URL("../../golden/bootstrap/", import.meta.url);

/** What the bootstraps of the release have that is a secret, or in the place of one. */
const secretOfGolden =
  /(?:\.privateKey|\.TLS_CLIENT_KEY|\.(?:file-)?credential|\.initial_metadata\.\d+\.value)$/;

test("a bootstrap of the release loses nothing but its secrets", () => {
  for (const file of readdirSync(golden)) {
    const text = readFileSync(new URL(file, golden), "utf8");
    const original: unknown = JSON.parse(text);
    for (const clean of [redactText(text), redactDocument(text)]) {
      const lost = differences(original, JSON.parse(clean), "");
      assert.deepEqual(
        lost.filter((path) => !secretOfGolden.test(path)),
        [],
        file,
      );
    }
  }
});

/** Paths of the values that differ. */
function differences(one: unknown, other: unknown, path: string): readonly string[] {
  if (typeof one !== "object" || one === null) return one === other ? [] : [path];
  assert.ok(typeof other === "object" && other !== null, path);
  assert.deepEqual(Object.keys(other), Object.keys(one), path);
  return Object.entries(one).flatMap(([key, value]) =>
    differences(value, (other as Readonly<Record<string, unknown>>)[key], `${path}.${key}`),
  );
}

test("a list of headers is not cut in pieces wherever a slice ends", () => {
  const items = Array.from({ length: 6 }, (_, at) => ({ key: `x-${at}`, value: `hidden-${at}-value` }));
  const text = JSON.stringify(
    { a: bootstrap("initial_metadata", items), b: { key: "x-key", value: "hidden-7" } },
    undefined,
    1,
  );
  for (let length = 1; length < text.length; length += 1) {
    const parts = [...slices(text, length)];
    assert.equal(parts.join(""), text);
    const clean = parts.map((part) => redactText(part)).join("");
    assert.ok(!clean.includes("hidden"), `${length}: ${clean}`);
  }
});

// Processor time, which a busy machine does not lengthen; quadratic time would be minutes.
test("redactText() takes linear time on hostile lists, URLs and queries", () => {
  const before = process.cpuUsage();
  for (const part of [
    ...["value:a ", 'value:"a" ', "key: a ", "headers:[", 'headers:{"', "headers:\n- ", "initial_metadata {"],
    ...[
      "x://a:b",
      "x://a:/",
      "x://a@",
      "https://hooks.x/",
      "x/webhooks/",
      "x://x/a/",
      "?a=",
      "&",
      "\\",
      "\\n",
    ],
    ...["key: a\n\n", "value: a,", "headers", "/aaaaaaaaaaaaaaaaaaaaaa", " "],
  ]) {
    redactText(`headers: [ key: a${part.repeat(200_000 / part.length)}`);
    redactText(`x://a:=${part.repeat(200_000 / part.length)}`);
  }
  const usedMs = process.cpuUsage(before).user / 1_000;
  assert.ok(usedMs < 10_000, `${usedMs} ms`);
});
