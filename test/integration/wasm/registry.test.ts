import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { status } from "../../support/module-server.ts";
import { mediaTypes, startRegistry, tarLayer, tarOf } from "../../support/oci-registry.ts";
import { type PluginSettings, wasmExtension, wasmModule } from "../../support/wasm-config.ts";
import { type WasmFixture, wasmFixture } from "../../support/wasm-fixture.ts";

const module = wasmModule("in an image");
const files = { "etc/readme": Buffer.from("x".repeat(1_000)), "./plugin.wasm": module };
const user = { name: "puller", password: "pass:word" };

function secretFor(registry: string): string {
  const auth = Buffer.from(`${user.name}:${user.password}`).toString("base64");
  return JSON.stringify({ auths: { [registry]: { auth } } });
}

async function expectModule(wasm: WasmFixture, settings: PluginSettings): Promise<string> {
  const got = await wasm.get(wasmExtension({ timeoutMs: 30_000, ...settings }));
  assert.equal(got.kind, "file", wasm.lines.join("\n"));
  const { path } = got as { path: string };
  assert.ok(readFileSync(path).equals(module));
  return path;
}

async function expectFailure(wasm: WasmFixture, settings: PluginSettings, reason: RegExp): Promise<void> {
  const got = await wasm.get(wasmExtension({ timeoutMs: 30_000, ...settings }));
  assert.equal(got.kind, "deny");
  assert.match(wasm.lines.at(-1) ?? "", reason);
}

describe("a module in an image", () => {
  const layouts = {
    "a layer of its own": async () => ({ mediaType: mediaTypes.wasm, content: module }),
    "a tar of OCI": () => tarLayer(files),
    "a tar of Docker": async () => ({ ...(await tarLayer(files)), mediaType: mediaTypes.dockerLayer }),
    "a tar that is not compressed": async () => ({
      mediaType: mediaTypes.plainLayer,
      content: await tarOf(files),
    }),
    "a tar compressed with zstd": async () => ({
      mediaType: "application/vnd.oci.image.layer.v1.tar+zstd",
      content: zstdCompressSync(await tarOf(files)),
    }),
  };
  for (const [layout, makeLayer] of Object.entries(layouts)) {
    test(`is found in ${layout}`, async () => {
      await using registry = await startRegistry();
      using wasm = await wasmFixture({ insecureRegistries: [registry.address] });
      const config = { mediaType: "application/vnd.module.wasm.config.v1+json", content: Buffer.from("{}") };
      const manifest = layout.endsWith("Docker") ? mediaTypes.dockerManifest : mediaTypes.manifest;
      const digest = registry.push("team/plugin", "v1", [config, await makeLayer()], manifest);
      const path = await expectModule(wasm, { name: "a", url: `oci://${registry.address}/team/plugin:v1` });
      assert.ok(path.endsWith(`/${digest.slice(7)}.wasm`));
      // Without a scheme it is an image too, and with a digest it is known.
      await expectModule(wasm, { name: "b", url: `${registry.address}/team/plugin@${digest}` });
      await expectModule(wasm, {
        name: "c",
        url: `${registry.address}/team/plugin:v1`,
        sha256: digest.slice(7),
      });
      assert.equal(registry.requests.filter((request) => request.includes("/blobs/")).length, 1);
    });
  }

  test("is chosen from a list of images by the machine, then by Wasm", async () => {
    await using registry = await startRegistry();
    using wasm = await wasmFixture({ insecureRegistries: [registry.address] });
    const digest = registry.push("plugin", "real", [await tarLayer(files)]);
    const wrong = registry.push("plugin", "wrong", [await tarLayer({ "plugin.wasm": Buffer.from("no") })]);
    const own = process.arch === "x64" ? "amd64" : process.arch;
    const index = registry.pushIndex("plugin", "machine", [
      { digest: wrong, os: "linux", architecture: "s390x" },
      { digest, os: "linux", architecture: own },
    ]);
    registry.pushIndex("plugin", "wasi", [
      { digest: wrong, os: "linux", architecture: "s390x" },
      { digest, os: "wasi", architecture: "wasm" },
    ]);
    registry.pushIndex("plugin", "none", [
      { digest, os: "linux", architecture: "s390x" },
      { digest, os: "linux", architecture: "ppc64le" },
    ]);
    const image = `${registry.address}/plugin`;
    await expectModule(wasm, { name: "a", url: `${image}:machine`, sha256: index.slice(7) });
    await expectModule(wasm, { name: "a", url: `${image}:machine`, sha256: digest.slice(7) });
    await expectModule(wasm, { name: "a", url: `${image}:wasi` });
    await expectFailure(wasm, { name: "a", url: `${image}:none` }, /none of its images is for this machine/);
  });

  for (const kind of ["basic", "bearer"] as const) {
    test(`is fetched with the pull secret's user where a registry demands one (${kind})`, async () => {
      await using registry = await startRegistry();
      using wasm = await wasmFixture({ insecureRegistries: [registry.address] });
      registry.push("team/plugin", "v1", [await tarLayer(files)]);
      registry.demand(kind, user);
      const url = `oci://${registry.address}/team/plugin:v1`;
      const withSecret = (secret: string): Record<string, string> => ({
        ISTIO_META_WASM_IMAGE_PULL_SECRET: secret,
      });
      await expectFailure(wasm, { name: "a", url }, kind === "basic" ? /demands a user/ : /answered 401/);
      const other = withSecret(secretFor("another.example"));
      await expectFailure(
        wasm,
        { name: "a", url, environment: other },
        kind === "basic" ? /demands a user/ : /answered 401/,
      );
      await expectFailure(wasm, { name: "a", url, environment: withSecret("") }, /pull secret is not there/);
      await expectFailure(
        wasm,
        { name: "a", url, environment: withSecret("{{") },
        /no configuration of Docker/,
      );
      const environment = withSecret(secretFor(registry.address));
      await expectModule(wasm, { name: "a", url, environment });
      assert.doesNotMatch(wasm.lines.join("\n"), /pass:word|cHVsbGVy/);
    });
  }

  test("is fetched with Docker's own configuration where there is no pull secret", async () => {
    await using registry = await startRegistry();
    using folder = await wasmFixture();
    const { mkdirSync, writeFileSync } = await import("node:fs");
    mkdirSync(folder.folder, { recursive: true });
    const dockerConfigPath = `${folder.folder}/config.json`;
    writeFileSync(dockerConfigPath, secretFor(`https://${registry.address}/v1/`));
    using wasm = await wasmFixture({ insecureRegistries: [registry.address], dockerConfigPath });
    registry.push("plugin", "latest", [await tarLayer(files)]);
    registry.demand("bearer", user);
    await expectModule(wasm, { name: "a", url: `oci://${registry.address}/plugin` });
  });

  test("is not asked for without TLS unless its registry is named", async () => {
    await using registry = await startRegistry();
    // Loopback, which only a named server may have: so the wrong port is named.
    using wasm = await wasmFixture({ insecureRegistries: ["*"] });
    registry.push("plugin", "v1", [await tarLayer(files)]);
    await expectFailure(
      wasm,
      { name: "a", url: `oci://${registry.address}/plugin:v1` },
      /is one of this machine/,
    );
    assert.deepEqual(registry.requests, []);
  });

  test("must be what its digests say, manifest and layer", async () => {
    await using registry = await startRegistry();
    using wasm = await wasmFixture({ insecureRegistries: [registry.address] });
    const digest = registry.push("plugin", "v1", [await tarLayer(files)]);
    const other = registry.push("plugin", "v2", [await tarLayer({ ...files, more: module })]);
    const answers = registry.answers;
    const swapped = answers.get(`/v2/plugin/manifests/${other}`);
    assert.ok(swapped !== undefined);
    answers.set(`/v2/plugin/manifests/${digest}`, swapped);
    const image = `${registry.address}/plugin`;
    await expectFailure(wasm, { name: "a", url: `${image}@${digest}` }, /the manifest has the digest/);
    await expectFailure(
      wasm,
      { name: "a", url: `${image}:v2`, sha256: digest.slice(7) },
      /the image has the digest/,
    );
    const [blob = ""] = [...answers.keys()].filter((path) => path.includes("/blobs/"));
    answers.set(blob, (_, response) => response.end(gzipSync("other")));
    await expectFailure(wasm, { name: "a", url: `${image}:v1` }, /the layer has the digest/);
    assert.match(await wasm.metrics.render(), /wasm_remote_fetch_count\{result="checksum_mismatched"\} 3\n/);
  });

  const unusable = {
    "no plugin.wasm": [() => tarLayer({ "other.wasm": module }), /no plugin\.wasm/],
    "a layer of an unknown kind": [
      async () => ({ mediaType: "application/x", content: module }),
      /last layer is of type/,
    ],
    "something else in plugin.wasm": [
      () => tarLayer({ "plugin.wasm": Buffer.from("#!/bin/sh") }),
      /neither a Wasm module/,
    ],
  } as const;
  for (const [what, [makeLayer, reason]] of Object.entries(unusable)) {
    test(`is replaced when its image has ${what}`, async () => {
      await using registry = await startRegistry();
      using wasm = await wasmFixture({ insecureRegistries: [registry.address] });
      registry.push("plugin", "v1", [await makeLayer()]);
      await expectFailure(wasm, { name: "a", url: `${registry.address}/plugin:v1` }, reason);
    });
  }

  test("is asked for again by its pull policy", async () => {
    await using registry = await startRegistry();
    using wasm = await wasmFixture({ insecureRegistries: [registry.address] });
    const layer = await tarLayer(files);
    registry.push("plugin", "latest", [layer]);
    registry.push("plugin", "v1", [layer]);
    const manifests = (): number =>
      registry.requests.filter((request) => request.includes("/manifests/")).length;
    const get = async (tag: string, version: string, policy: string): Promise<number> => {
      const before = manifests();
      const environment = {
        ISTIO_META_WASM_PLUGIN_RESOURCE_VERSION: version,
        ISTIO_META_WASM_IMAGE_PULL_POLICY: policy,
      };
      await expectModule(wasm, { name: "a", url: `${registry.address}/plugin:${tag}`, environment });
      return manifests() - before;
    };
    assert.equal(await get("v1", "1", "UNSPECIFIED_POLICY"), 1);
    assert.equal(await get("v1", "2", "UNSPECIFIED_POLICY"), 0);
    assert.equal(await get("v1", "3", "Always"), 1);
    assert.equal(await get("v1", "3", "Always"), 0);
    assert.equal(await get("latest", "1", "UNSPECIFIED_POLICY"), 1);
    assert.equal(await get("latest", "1", "UNSPECIFIED_POLICY"), 0);
    assert.equal(await get("latest", "2", "UNSPECIFIED_POLICY"), 1);
    assert.equal(await get("latest", "3", "IfNotPresent"), 0);
    // What is asked again need not be downloaded again.
    assert.equal(registry.requests.filter((request) => request.includes("/blobs/")).length, 1);
  });

  test("of a registry that fails for good is replaced at once", async () => {
    await using registry = await startRegistry();
    using wasm = await wasmFixture({ insecureRegistries: [registry.address] });
    await expectFailure(wasm, { name: "a", url: `${registry.address}/plugin:v1` }, /answered 404/);
    registry.answers.set("/v2/plugin/manifests/v1", status(401, { "www-authenticate": "Negotiate" }));
    await expectFailure(wasm, { name: "a", url: `${registry.address}/plugin:v1` }, /of an unknown kind/);
    registry.answers.set("/v2/plugin/manifests/v1", (_, response) => response.end('{"layers":"no"}'));
    await expectFailure(
      wasm,
      { name: "a", url: `${registry.address}/plugin:v1` },
      /neither layers nor manifests/,
    );
  });
});
