import assert from "node:assert/strict";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { eventually } from "../../support/eventually.ts";
import { bytes, type ModuleServer, startModuleServer, status } from "../../support/module-server.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { wasmExtension, wasmModule } from "../../support/wasm-config.ts";
import { type WasmFixture, wasmFixture } from "../../support/wasm-fixture.ts";

const hour = 3_600_000;

async function pathOf(wasm: WasmFixture, server: ModuleServer, name: string): Promise<string> {
  const got = await wasm.get(wasmExtension({ name, url: `${server.url}/${name}.wasm` }));
  assert.equal(got.kind, "file", wasm.lines.join("\n"));
  return (got as { path: string }).path;
}

function serve(server: ModuleServer, ...names: readonly string[]): void {
  for (const name of names) server.answers.set(`/${name}.wasm`, bytes(wasmModule(name)));
}

describe("the modules on disk", () => {
  test("are used by the next agent while their server is gone, and fetched again when they are damaged", async () => {
    await using server = await startModuleServer();
    using folder = temporaryFolder();
    const start = (): Promise<WasmFixture> => wasmFixture({ insecureRegistries: [server.address] }, folder);
    serve(server, "a", "b");
    const first = await start();
    const paths = [await pathOf(first, server, "a"), await pathOf(first, server, "b")];
    for (const name of ["a", "b"]) server.answers.set(`/${name}.wasm`, status(404));
    const second = await start();
    assert.deepEqual([await pathOf(second, server, "a"), await pathOf(second, server, "b")], paths);
    assert.equal(server.requests.length, 2);
    assert.match(await second.metrics.render(), /wasm_cache_lookup_count\{hit="true"\} 2\n/);
    appendFileSync(paths[0] ?? "", "more");
    serve(server, "a");
    const third = await start();
    await pathOf(third, server, "a");
    await pathOf(third, server, "b");
    assert.equal(server.requests.length, 3);
  });

  test("may be of a resource with any name", async () => {
    await using server = await startModuleServer();
    using wasm = await wasmFixture({ insecureRegistries: [server.address] });
    serve(server, "a");
    const environment = { ISTIO_META_WASM_IMAGE_PULL_POLICY: "Always" };
    for (const name of ["__proto__", "constructor", "../../x", "", "__proto__"]) {
      const got = await wasm.get(wasmExtension({ name, url: `${server.url}/a.wasm`, environment }));
      assert.equal(got.kind, "file", name);
    }
    assert.equal(server.requests.length, 4);
  });

  test("begin anew when their index is damaged, and what was left half-way is removed", async () => {
    await using server = await startModuleServer();
    using folder = temporaryFolder();
    const data = join(folder.path, "data");
    mkdirSync(join(data, ".wasm-incoming/old"), { recursive: true });
    writeFileSync(join(data, ".wasm-incoming/old/1"), "half");
    writeFileSync(join(data, "wasm-modules.json"), '{"modules":{"../../etc/passwd":"x"}}');
    serve(server, "a");
    const wasm = await wasmFixture({ insecureRegistries: [server.address] }, folder);
    assert.match(wasm.lines[0] ?? "", /index of the Wasm modules is damaged/);
    await pathOf(wasm, server, "a");
    assert.deepEqual(readdirSync(join(data, ".wasm-incoming")), []);
    assert.equal((await wasmFixture({}, folder)).lines.length, 0);
  });

  test("are removed when nothing has used them for their time, and what Envoy has stays", async () => {
    await using server = await startModuleServer();
    using folder = temporaryFolder();
    const times = { moduleExpiryMs: hour, purgeIntervalMs: 20 };
    serve(server, "used", "unused", "given-up");
    const earlier = await wasmFixture({ insecureRegistries: [server.address] }, folder);
    const unused = await pathOf(earlier, server, "unused");
    const wasm = await wasmFixture({ insecureRegistries: [server.address], ...times }, folder);
    const used = await pathOf(wasm, server, "used");
    const givenUp = await pathOf(wasm, server, "given-up");
    const foreign = join(wasm.folder, "profile.txt");
    writeFileSync(foreign, "not a module");
    const old = new Date(Date.now() - 2 * hour);
    for (const path of [unused, used, givenUp, foreign]) utimesSync(path, old, old);
    const stop = new AbortController();
    const running = wasm.extensions.run(stop.signal);
    await eventually("the purge", () => assert.ok(!existsSync(unused)), { withinMs: 5_000 });
    assert.deepEqual([existsSync(used), existsSync(givenUp)], [true, true]);
    wasm.extensions.retire(["given-up"]);
    await eventually("the purge", () => assert.ok(!existsSync(givenUp)), { withinMs: 5_000 });
    assert.deepEqual([existsSync(used), existsSync(foreign)], [true, true]);
    stop.abort();
    await running;
    assert.match(await wasm.metrics.render(), /wasm_cache_entries 1\n/);
    // What is gone is fetched again.
    assert.equal(await pathOf(wasm, server, "unused"), unused);
  });

  test("that a kept configuration names stay as they are, or are replaced when they are gone", async () => {
    await using server = await startModuleServer();
    using wasm = await wasmFixture({ insecureRegistries: [server.address] });
    serve(server, "a");
    const filename = await pathOf(wasm, server, "a");
    const kept = wasmExtension({ name: "a", code: { local: { filename } }, failOpen: true });
    assert.equal((await wasm.get(kept)).kind, "unchanged");
    const foreign = wasmExtension({ name: "b", code: { local: { filename: "/no/such/file.wasm" } } });
    assert.equal((await wasm.get(foreign)).kind, "unchanged");
    rmSync(filename);
    assert.equal((await wasm.get(kept)).kind, "allow");
    assert.match(wasm.lines.at(-1) ?? "", /its file is gone/);
  });

  test("need a folder that can be written", async () => {
    await using server = await startModuleServer();
    using folder = temporaryFolder();
    writeFileSync(join(folder.path, "data"), "a file");
    serve(server, "a");
    using wasm = await wasmFixture({ insecureRegistries: [server.address] }, folder);
    const got = await wasm.get(wasmExtension({ name: "a", url: `${server.url}/a.wasm`, failOpen: true }));
    assert.equal(got.kind, "allow");
    assert.match(wasm.lines[0] ?? "", /is not used: .*name another folder in --wasmFolder/);
  });
});
