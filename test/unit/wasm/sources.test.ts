import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { describeUrl, parseModuleUrl } from "../../../src/wasm/module-source.ts";
import { type Pulled, wantedChecksum } from "../../../src/wasm/pull-decision.ts";
import type { PullPolicy } from "../../../src/wasm/plugin.ts";
import { parseImageReference } from "../../../src/wasm/registry/image-reference.ts";

const digest = `sha256:${"a".repeat(64)}`;

describe("parseImageReference()", () => {
  // Text; registry, host, repository, tag, digest.
  const references = {
    "ghcr.io/team/plugin:v1": ["ghcr.io", "ghcr.io", "team/plugin", "v1", undefined],
    "ghcr.io/team/plugin": ["ghcr.io", "ghcr.io", "team/plugin", "latest", undefined],
    [`ghcr.io/plugin@${digest}`]: ["ghcr.io", "ghcr.io", "plugin", undefined, digest],
    [`ghcr.io/plugin:v1@${digest}`]: ["ghcr.io", "ghcr.io", "plugin", undefined, digest],
    "localhost:5000/plugin": ["localhost:5000", "localhost:5000", "plugin", "latest", undefined],
    "localhost/plugin": ["localhost", "localhost", "plugin", "latest", undefined],
    "[::1]:5000/a/b_c/d--e:1.2": ["[::1]:5000", "[::1]:5000", "a/b_c/d--e", "1.2", undefined],
    "team/plugin:v1": ["index.docker.io", "registry-1.docker.io", "team/plugin", "v1", undefined],
    "docker.io/plugin": ["index.docker.io", "registry-1.docker.io", "library/plugin", "latest", undefined],
    plugin: ["index.docker.io", "registry-1.docker.io", "library/plugin", "latest", undefined],
  } as const;
  for (const [text, [registry, host, repository, tag, wanted]] of Object.entries(references)) {
    test(`reads ${text}`, () => {
      assert.deepEqual(parseImageReference(text), { registry, host, repository, tag, digest: wanted });
    });
  }

  const wrong = [
    "",
    "ghcr.io/",
    "ghcr.io/Team/plugin",
    "ghcr.io/../plugin",
    "ghcr.io//plugin",
    "ghcr.io/plugin:",
    "ghcr.io/plugin:-x",
    "ghcr.io/plugin@sha256:abc",
    "ghcr.io/plugin@sha512:00",
    `ghcr.io/plugin@${digest}@${digest}`,
    "user:password@ghcr.io/plugin",
    "ghcr.io:port/plugin",
    "ghcr.io/plugin?x=1",
    "ghcr.io/plugin#x",
    "ghcr.io/a b",
    `ghcr.io/${"a".repeat(3_000)}`,
  ];
  for (const text of wrong) {
    test(`refuses ${text.slice(0, 60) || "nothing"}`, () => {
      assert.equal(parseImageReference(text), undefined);
    });
  }

  test("gives nothing that could change the path of a request", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), (text) => {
        const image = parseImageReference(`ghcr.io/${text}`);
        if (image === undefined) return;
        const url = new URL(
          `/v2/${image.repository}/manifests/${image.digest ?? image.tag}`,
          "https://ghcr.io",
        );
        assert.equal(url.pathname, `/v2/${image.repository}/manifests/${image.digest ?? image.tag}`);
      }),
    );
  });
});

test("parseModuleUrl() tells servers of HTTP from registries, and names a module without its version", () => {
  const read = (text: string): unknown => {
    const source = parseModuleUrl(text);
    return source === undefined ? undefined : [source.kind, source.name];
  };
  assert.deepEqual(read("https://example.com/a.wasm?v=1"), ["http", "https://example.com/a.wasm?v=1"]);
  assert.deepEqual(read("HTTP://example.com"), ["http", "HTTP://example.com"]);
  assert.deepEqual(read("oci://ghcr.io/team/a:v1"), ["image", "oci://ghcr.io/team/a"]);
  assert.deepEqual(read(`ghcr.io/team/a@${digest}`), ["image", "oci://ghcr.io/team/a"]);
  for (const text of ["file:///etc/passwd", "ftp://x/y", "http://", "oci://", "gopher://x"])
    assert.equal(read(text), undefined, text);
});

test("describeUrl() shows neither credentials nor what a query holds", () => {
  assert.equal(
    describeUrl("https://user:secret@example.com/a.wasm?token=secret#secret"),
    "https://example.com/a.wasm",
  );
  assert.equal(describeUrl("oci://ghcr.io/team/a:v1"), "oci://ghcr.io/team/a:v1");
});

describe("wantedChecksum()", () => {
  const pulled: Pulled = { checksum: "b".repeat(64), resourceVersions: { plugin: "1" } };
  const given = "c".repeat(64);
  const b = pulled.checksum;
  // What it shows; URL, checksum, policy, version of the resource, what is there; what is wanted.
  const cases: readonly (readonly [
    string,
    string,
    string | undefined,
    PullPolicy,
    string,
    Pulled | undefined,
    string | undefined,
  ])[] = [
    ["a checksum is all that counts", "oci://x.io/a:latest", given, "always", "2", pulled, given],
    ["a digest is one", `oci://x.io/a@${digest}`, undefined, "always", "2", pulled, "a".repeat(64)],
    ["nothing was fetched yet", "oci://x.io/a:v1", undefined, "unspecified", "1", undefined, undefined],
    ["a tag stays", "oci://x.io/a:v1", undefined, "unspecified", "2", pulled, b],
    [
      "latest is asked when the resource changed",
      "oci://x.io/a:latest",
      undefined,
      "unspecified",
      "2",
      pulled,
      undefined,
    ],
    ["no tag is latest", "oci://x.io/a", undefined, "unspecified", "2", pulled, undefined],
    ["latest stays while the resource does", "oci://x.io/a:latest", undefined, "unspecified", "1", pulled, b],
    ["IfNotPresent holds for latest too", "oci://x.io/a:latest", undefined, "if-not-present", "2", pulled, b],
    ["Always asks when the resource changed", "oci://x.io/a:v1", undefined, "always", "2", pulled, undefined],
    ["Always asks no more often", "oci://x.io/a:v1", undefined, "always", "1", pulled, b],
    ["a URL stays", "https://x.io/latest", undefined, "unspecified", "2", pulled, b],
    ["Always holds for a URL too", "https://x.io/a", undefined, "always", "2", pulled, undefined],
  ];
  for (const [what, url, sha256, pullPolicy, resourceVersion, known, expected] of cases) {
    test(what, () => {
      const source = parseModuleUrl(url);
      assert.ok(source !== undefined);
      const module = { url, sha256, pullPolicy, resourceVersion, timeoutMs: 1, pullSecret: undefined };
      assert.equal(wantedChecksum(source, module, "plugin", known), expected);
    });
  }

  test("another resource with the same image asks for itself", () => {
    const source = parseModuleUrl("oci://x.io/a:latest");
    assert.ok(source !== undefined);
    const module = {
      ...{ url: "oci://x.io/a:latest", sha256: undefined, pullPolicy: "always" as const },
      ...{ resourceVersion: "1", timeoutMs: 1, pullSecret: undefined },
    };
    assert.equal(wantedChecksum(source, module, "another", pulled), undefined);
  });
});
