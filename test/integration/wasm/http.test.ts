import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { bytes, inTurn, startModuleServer, status } from "../../support/module-server.ts";
import { wasmExtension, wasmModule, wasmStruct } from "../../support/wasm-config.ts";
import { type WasmFixture, wasmFixture } from "../../support/wasm-fixture.ts";

const module = wasmModule("of the test");

function sha256(content: Buffer | string): string {
  return createHash("sha256").update(content).digest("hex");
}

async function expectModule(wasm: WasmFixture, extension: Uint8Array, content: Buffer): Promise<string> {
  const got = await wasm.get(extension);
  assert.equal(got.kind, "file", wasm.lines.join("\n"));
  const { path } = got as { path: string };
  assert.ok(readFileSync(path).equals(content));
  return path;
}

describe("a module behind HTTP", () => {
  test("becomes a file that Envoy may read, at the path that Istio's agent would give it", async () => {
    await using server = await startModuleServer();
    using wasm = await wasmFixture({ insecureRegistries: [server.address] });
    server.answers.set("/a.wasm", bytes(module));
    const url = `${server.url}/a.wasm`;
    const environment = { ISTIO_META_WASM_PLUGIN_RESOURCE_VERSION: "7", KEPT: "yes", ISTIO_METAJSON_X: "1" };
    const got = await wasm.get(wasmExtension({ name: "a", url, environment }));
    const path = `${wasm.folder}/${sha256(url)}/${sha256(module)}.wasm`;
    assert.deepEqual(got, { kind: "file", path, environment: { KEPT: "yes" } });
    assert.equal(statSync(path).mode & 0o777, 0o644);
    assert.ok(readFileSync(path).equals(module));
    assert.match(await wasm.metrics.render(), /wasm_remote_fetch_count\{result="success"\} 1\n/);
    assert.match(await wasm.metrics.render(), /wasm_config_conversion_count\{result="success"\} 1\n/);
    assert.match(await wasm.metrics.render(), /wasm_cache_entries 1\n/);
  });

  test("is fetched once for many, and not again while it is there", async () => {
    await using server = await startModuleServer();
    using wasm = await wasmFixture({ insecureRegistries: [server.address] });
    server.answers.set("/a.wasm", bytes(module));
    const extensions = ["a", "b", "c"].map((name) =>
      name === "b"
        ? wasmStruct({ name, url: `${server.url}/a.wasm` })
        : wasmExtension({ name, url: `${server.url}/a.wasm` }),
    );
    await Promise.all(extensions.map((extension) => expectModule(wasm, extension, module)));
    await expectModule(wasm, wasmExtension({ name: "d", url: `${server.url}/a.wasm` }), module);
    assert.equal(server.requests.length, 1);
  });

  test("may be compressed or in a tar, and its checksum that of either", async () => {
    await using server = await startModuleServer();
    using wasm = await wasmFixture({ insecureRegistries: [server.address] });
    const packed = gzipSync(module);
    server.answers.set("/a.wasm.gz", bytes(packed));
    const url = `${server.url}/a.wasm.gz`;
    await expectModule(wasm, wasmExtension({ name: "a", url, sha256: sha256(packed) }), module);
    await expectModule(wasm, wasmExtension({ name: "a", url, sha256: sha256(module) }), module);
  });

  const badAnswers = {
    "a wrong checksum": [
      bytes(module),
      { sha256: "0".repeat(64) },
      /has the checksum [0-9a-f]{64}, not 0{64}/,
    ],
    "a checksum that is none": [
      bytes(module),
      { sha256: "../../etc" },
      /sha256 is not of 64 hexadecimal digits/,
    ],
    "something else": [bytes(Buffer.from("<html>")), {}, /neither a Wasm module nor a tar/],
    "a component": [bytes(Buffer.from("0061736d0d000100", "hex")), {}, /is a component, not a module/],
    "half a module": [bytes(module.subarray(0, 6)), {}, /neither a Wasm module/],
    nothing: [bytes(Buffer.alloc(0)), {}, /neither a Wasm module/],
    "no right to it": [status(403), {}, /answered 403/],
    "a status without a further try": [status(501), {}, /answered 501/],
    "a redirect without end": [status(302, { location: "/a.wasm" }), {}, /more than 5 redirects/],
    "a redirect to a file": [status(302, { location: "file:///etc/passwd" }), {}, /a redirect to file:/],
  } as const;
  for (const [what, [answer, settings, reason]] of Object.entries(badAnswers)) {
    test(`is replaced when the server has ${what}`, async () => {
      await using server = await startModuleServer();
      using wasm = await wasmFixture({ insecureRegistries: [server.address] });
      server.answers.set("/a.wasm", answer);
      const url = `${server.url}/a.wasm?token=hidden`;
      const got = await wasm.get(wasmExtension({ name: "a", url, ...settings }));
      assert.deepEqual(got, {
        kind: "deny",
        prefix: "wasm-default-deny",
        type: "envoy.extensions.filters.http.rbac.v3.RBAC",
      });
      assert.equal(wasm.lines.length, 1, wasm.lines.join("\n"));
      assert.match(wasm.lines[0] ?? "", reason);
      assert.match(wasm.lines[0] ?? "", /instead="traffic is denied"/);
      assert.doesNotMatch(wasm.lines[0] ?? "", /hidden/);
      assert.match(await wasm.metrics.render(), /wasm_config_conversion_count\{result="fetch_failure"\} 1\n/);
      assert.equal(
        existsSync(`${wasm.folder}/.wasm-incoming/`) && statSync(`${wasm.folder}/.wasm-incoming`).nlink > 2,
        false,
      );
    });
  }

  test("is asked for again when the server fails in passing, and only so often", async () => {
    await using server = await startModuleServer();
    using wasm = await wasmFixture({ insecureRegistries: [server.address], maxAttempts: 3 });
    server.answers.set(
      "/a.wasm",
      inTurn(status(503), (_, response) => response.destroy(), bytes(module)),
    );
    server.answers.set("/b.wasm", status(500));
    const timeoutMs = 60_000;
    await expectModule(wasm, wasmExtension({ name: "a", url: `${server.url}/a.wasm`, timeoutMs }), module);
    assert.equal(server.requests.length, 3);
    assert.match(await wasm.metrics.render(), /wasm_remote_fetch_retries_total 2\n/);
    const got = await wasm.get(
      wasmExtension({ name: "b", url: `${server.url}/b.wasm`, timeoutMs, failOpen: true }),
    );
    assert.equal(got.kind, "allow");
    assert.equal(server.requests.length, 6);
  });

  test("that does not come in time is replaced", async () => {
    await using server = await startModuleServer();
    using wasm = await wasmFixture({ insecureRegistries: [server.address] });
    server.answers.set("/a.wasm", (_, response) => {
      response.writeHead(200, { "content-length": 1_000 });
      response.write(module);
    });
    const settings = { name: "a", url: `${server.url}/a.wasm`, timeoutMs: 300, failOpen: true };
    const got = await wasm.get(wasmExtension({ ...settings, filter: "network" }));
    assert.deepEqual(got, {
      kind: "allow",
      prefix: "wasm-default-allow",
      type: "envoy.extensions.filters.network.rbac.v3.RBAC",
    });
    assert.match(wasm.lines[0] ?? "", /in time|within 300 ms/);
  });

  test("may not be larger than is allowed, before or after it was unpacked", async () => {
    await using server = await startModuleServer();
    using wasm = await wasmFixture({ insecureRegistries: [server.address], maxModuleBytes: 100_000 });
    const large = Buffer.concat([module, Buffer.alloc(8_000_000)]);
    server.answers.set("/large.wasm", bytes(large));
    server.answers.set("/chunked.wasm", (_, response) => {
      response.writeHead(200);
      response.end(large);
    });
    server.answers.set("/bomb.wasm", bytes(gzipSync(large)));
    server.answers.set("/a.wasm", bytes(gzipSync(Buffer.concat([module, Buffer.alloc(200_000)]))));
    const reasons = {
      large: /what .* answers is larger than 100000 bytes/,
      chunked: /what .* answers is larger than 100000 bytes/,
      bomb: /unpacked it is larger than \d+ bytes/,
      a: /the module is larger than 100000 bytes/,
    };
    for (const [path, reason] of Object.entries(reasons)) {
      const got = await wasm.get(wasmExtension({ name: path, url: `${server.url}/${path}.wasm` }));
      assert.equal(got.kind, "deny", path);
      assert.match(wasm.lines.at(-1) ?? "", reason);
    }
  });
});
