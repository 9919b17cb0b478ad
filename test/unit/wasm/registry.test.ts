import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { readChallenge } from "../../../src/wasm/registry/challenge.ts";
import { type Credentials, credentialsFor } from "../../../src/wasm/registry/docker-config.ts";
import { chooseImage, chooseLayer, readManifest } from "../../../src/wasm/registry/manifest.ts";

const auth = Buffer.from("user:pass:word").toString("base64");
const user: Credentials = { kind: "password", username: "user", password: "pass:word" };
const anonymous: Credentials = { kind: "anonymous" };

describe("credentialsFor()", () => {
  const cases: readonly (readonly [string, object, string, Credentials])[] = [
    ["the registry by its host", { "ghcr.io": { auth } }, "ghcr.io", user],
    ["its URL of the first API", { "https://ghcr.io/v1/": { auth } }, "ghcr.io", user],
    ["a beginning of the path", { "ghcr.io/team": { auth } }, "ghcr.io", user],
    ["the longest key", { "ghcr.io": {}, "ghcr.io/team": { auth } }, "ghcr.io", user],
    ["not another path", { "ghcr.io/tea": { auth } }, "ghcr.io", anonymous],
    ["not another registry", { "other.io": { auth } }, "ghcr.io", anonymous],
    ["not another port", { "ghcr.io:5000": { auth } }, "ghcr.io", anonymous],
    ["Docker Hub by any of its names", { "https://index.docker.io/v1/": { auth } }, "index.docker.io", user],
    ["Docker Hub by another", { "docker.io": { auth } }, "index.docker.io", user],
    ["user and password apart", { "ghcr.io": { username: "user", password: "pass:word" } }, "ghcr.io", user],
    [
      "an identity token",
      { "ghcr.io": { auth, identitytoken: "t" } },
      "ghcr.io",
      { kind: "identity-token", token: "t" },
    ],
    [
      "a registry's token",
      { "ghcr.io": { registrytoken: "t" } },
      "ghcr.io",
      { kind: "registry-token", token: "t" },
    ],
  ];
  for (const [what, auths, registry, expected] of cases) {
    test(`takes ${what}`, () => {
      assert.deepEqual(credentialsFor(JSON.stringify({ auths }), registry, "team/plugin"), expected);
    });
  }

  test("reads the older form, and tells what is no configuration", () => {
    assert.deepEqual(credentialsFor(JSON.stringify({ "ghcr.io": { auth } }), "ghcr.io", "a"), user);
    for (const text of ["", "{", "null", "[]", '"x"', "1"])
      assert.equal(credentialsFor(text, "ghcr.io", "a"), undefined);
  });

  test("never throws", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        credentialsFor(text, "ghcr.io", "a");
        credentialsFor(`{"auths":${text}}`, "ghcr.io", "a");
        credentialsFor(`{"auths":{"ghcr.io":${text}}}`, "ghcr.io", "a");
      }),
    );
  });
});

describe("readChallenge()", () => {
  const realm = "https://auth.example/token";
  const read = (header: string | undefined): unknown => {
    const challenge = readChallenge(header);
    return challenge.kind === "bearer"
      ? [challenge.realm.href, challenge.service, challenge.scope]
      : challenge.kind;
  };
  const cases = {
    [`Bearer realm="${realm}",service="x",scope="repository:a:pull"`]: [realm, "x", "repository:a:pull"],
    [`bearer  realm="${realm}" , service=x`]: [realm, "x", ""],
    [`Bearer scope="a,b",realm="${realm}"`]: [realm, "", "a,b"],
    [`Basic realm="x", Bearer realm="${realm}"`]: [realm, "", ""],
    'Basic realm="x"': "basic",
    basic: "basic",
    Negotiate: "unusable",
    "Bearer service=x": "unusable",
    'Bearer realm="file:///etc/passwd"': "unusable",
    'Bearer realm="/token"': "unusable",
    'Bearer realm="https://user:secret@auth.example"': "unusable",
    "": "unusable",
    [`Bearer realm="${realm}${"x".repeat(9_000)}"`]: "unusable",
  };
  for (const [header, expected] of Object.entries(cases)) {
    test(`reads ${header.slice(0, 70) || "nothing"}`, () => {
      assert.deepEqual(read(header), expected);
    });
  }

  test("never throws, and soon ends", () => {
    assert.deepEqual(read(undefined), "unusable");
    fc.assert(fc.property(fc.string(), (text) => void readChallenge(`Bearer ${text}`)));
    for (const text of ['a="'.repeat(2_000), ",".repeat(8_000), 'Bearer a="x",'.repeat(600)])
      readChallenge(text);
  });
});

describe("manifests", () => {
  const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;
  const layer = (mediaType: string, letter: string): object => ({
    mediaType,
    digest: digest(letter),
    size: 1,
  });
  const image = (...layers: readonly object[]): Buffer =>
    Buffer.from(JSON.stringify({ schemaVersion: 2, layers }));
  const wasm = "application/vnd.module.wasm.content.layer.v1+wasm";
  const tar = "application/vnd.oci.image.layer.v1.tar+gzip";
  const chosen = (bytes: Buffer): unknown => {
    const manifest = readManifest(bytes);
    if (manifest.kind !== "image") return manifest.kind;
    const module = chooseLayer(manifest.layers);
    return module.kind === "none" ? module.kind : [module.layer.digest.at(-1), module.isTar];
  };

  test("have their module in a layer of its own, or in the last one when that is a tar", () => {
    assert.deepEqual(chosen(image(layer("application/x", "a"), layer(wasm, "b"))), ["b", false]);
    assert.deepEqual(chosen(image(layer(wasm, "a"), layer(tar, "b"))), ["a", false]);
    assert.deepEqual(chosen(image(layer(tar, "a"), layer(tar, "b"))), ["b", true]);
    assert.deepEqual(chosen(image(layer(tar, "a"), layer("application/x", "b"))), "none");
    assert.deepEqual(chosen(image()), "none");
  });

  test("that are not whole are unusable", () => {
    for (const bad of [
      {},
      { layers: [{}] },
      { layers: [{ digest: "sha256:x", size: 1 }] },
      { layers: "x" },
      null,
      7,
    ])
      assert.equal(readManifest(Buffer.from(JSON.stringify(bad))).kind, "unusable");
    assert.equal(readManifest(image({ mediaType: tar, digest: digest("a"), size: -1 })).kind, "unusable");
    assert.equal(readManifest(Buffer.from("no JSON")).kind, "unusable");
  });

  test("of several images: this machine's, Wasm's, the usual one, the only one", () => {
    const list = (...platforms: readonly (readonly [string, string])[]) => {
      const manifests = platforms.map(([os, architecture], index) => ({
        ...{ mediaType: "x", digest: digest(String(index)), size: 1 },
        platform: { os, architecture },
      }));
      const read = readManifest(Buffer.from(JSON.stringify({ manifests })));
      assert.ok(read.kind === "index");
      return chooseImage(read.manifests, "arm64")?.digest.at(-1);
    };
    assert.equal(list(["linux", "amd64"], ["linux", "arm64"], ["wasi", "wasm"]), "1");
    assert.equal(list(["linux", "amd64"], ["wasi", "wasm"]), "1");
    assert.equal(list(["linux", "s390x"], ["linux", "amd64"]), "1");
    assert.equal(list(["linux", "s390x"]), "0");
    assert.equal(list(["unknown", "unknown"], ["linux", "s390x"]), "1");
    assert.equal(list(["linux", "s390x"], ["windows", "amd64"]), undefined);
    assert.equal(list(), undefined);
  });

  test("are never thrown at", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        for (const wrapped of [text, `{"layers":${text}}`, `{"manifests":${text}}`, `{"layers":[${text}]}`])
          readManifest(Buffer.from(wrapped));
      }),
    );
  });
});
