import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { typeUrl } from "../../../src/xds/type-urls.ts";
import { TestDiscoveryServer } from "../../support/discovery-server.ts";
import { bytes, startModuleServer, status } from "../../support/module-server.ts";
import { extensionHandlers } from "../../support/resource-handlers.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { extensionResponse, readExtensions, wasmExtension, wasmModule } from "../../support/wasm-config.ts";
import { wasmFixture } from "../../support/wasm-fixture.ts";
import { xdsFixture } from "../../support/xds-fixture.ts";
import { delta, sotw } from "../../support/xds-messages.ts";

for (const encoding of [sotw, delta]) {
  describe(`a kept extension configuration with ${encoding.method}`, () => {
    test("names the file and no secret, and is replaced when the file is gone", async () => {
      await using stack = new AsyncDisposableStack();
      const folder = stack.use(temporaryFolder()).path;
      const server = stack.use(await startModuleServer());
      const wasm = stack.use(await wasmFixture({ insecureRegistries: [server.address] }));
      server.answers.set("/a.wasm", bytes(wasmModule()));
      const discovery = stack.use(await TestDiscoveryServer.listen());
      const cache = {
        folder: join(folder, "cache"),
        owner: "web",
        maxTypeBytes: 1_000_000,
        writeAfterMs: 10,
        useAfterMs: 0,
      };
      const handlers = extensionHandlers(() => Promise.resolve(wasm.extensions));
      const upstream = { address: discovery.address };
      {
        await using xds = await xdsFixture(upstream, undefined, { cache }, handlers);
        const { stream, inbox } = xds.envoy(encoding);
        const environment = { ISTIO_META_WASM_IMAGE_PULL_SECRET: '{"auths":{"x":{"auth":"c2VjcmV0"}}}' };
        const plugin = wasmExtension({ name: "a", url: `${server.url}/a.wasm`, environment, failOpen: true });
        const responses = {
          [typeUrl.cluster]: encoding.response({ typeUrl: typeUrl.cluster, nonce: "1" }),
          [typeUrl.listener]: encoding.response({ typeUrl: typeUrl.listener, nonce: "2" }),
          [typeUrl.extension]: extensionResponse(encoding, "3", [plugin]),
        };
        for (const [type, response] of Object.entries(responses)) {
          stream.enqueue(encoding.request({ typeUrl: type, names: ["a"] }));
          const served = await discovery.stream(0);
          await served.inbox.next();
          served.stream.enqueue(response);
          await inbox.next();
          const nonce = String(Object.keys(responses).indexOf(type) + 1);
          stream.enqueue(encoding.request({ typeUrl: type, nonce, names: ["a"] }));
          await served.inbox.next();
        }
      }
      await discovery[Symbol.asyncDispose]();
      server.answers.set("/a.wasm", status(404));
      const files = readdirSync(cache.folder).map((name) => readFileSync(join(cache.folder, name), "utf8"));
      assert.ok(files.some((text) => text.includes(`${wasm.folder}/`)));
      assert.ok(!files.some((text) => text.includes("PULL_SECRET") || text.includes("c2VjcmV0")));

      await using xds = await xdsFixture(upstream, undefined, { cache }, handlers);
      const fromCache = async (): Promise<ReturnType<typeof readExtensions>["extensions"]> => {
        const { stream, inbox } = xds.envoy(encoding);
        stream.enqueue(encoding.request({ typeUrl: typeUrl.extension, names: ["a"] }));
        return readExtensions(encoding, await inbox.next()).extensions;
      };
      const { a } = await fromCache();
      assert.equal(a?.kind, "file");
      rmSync((a as { path: string }).path);
      assert.equal((await fromCache())["a"]?.kind, "allow");
    });
  });
}
