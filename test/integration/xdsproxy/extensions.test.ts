import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe, test } from "node:test";
import type { WasmOptions } from "../../../src/wasm/options.ts";
import { typeUrl } from "../../../src/xds/type-urls.ts";
import { TestDiscoveryServer } from "../../support/discovery-server.ts";
import { eventually } from "../../support/eventually.ts";
import { bytes, type ModuleServer, startModuleServer } from "../../support/module-server.ts";
import { mutate, seeded } from "../../support/mutate.ts";
import { extensionHandlers } from "../../support/resource-handlers.ts";
import {
  extension,
  extensionResponse,
  type PluginSettings,
  readExtensions,
  wasmExtension,
  wasmModule,
  wasmStruct,
} from "../../support/wasm-config.ts";
import { type WasmFixture, wasmFixture } from "../../support/wasm-fixture.ts";
import { type XdsFixture, xdsFixture } from "../../support/xds-fixture.ts";
import { delta, type Encoding, sotw } from "../../support/xds-messages.ts";

interface Fixture extends AsyncDisposable {
  readonly server: ModuleServer;
  readonly wasm: WasmFixture;
  readonly xds: XdsFixture;
  /** How often the rewriting part was asked for. */
  readonly loads: () => number;
  /** A stream that has asked for extension configurations. */
  open(encoding: Encoding): Promise<
    ReturnType<XdsFixture["envoy"]> & {
      readonly upstream: Awaited<ReturnType<TestDiscoveryServer["stream"]>>;
    }
  >;
  /** A plugin behind the server. */
  plugin(name: string, path: string, settings?: Partial<PluginSettings>): Uint8Array;
  /** Let a path wait until it is released. */
  hold(path: string): { readonly closed: () => boolean; release(): void };
}

async function fixture(changes: Partial<WasmOptions> = {}): Promise<Fixture> {
  const stack = new AsyncDisposableStack();
  const server = stack.use(await startModuleServer());
  const wasm = stack.use(await wasmFixture({ insecureRegistries: [server.address], ...changes }));
  const discovery = stack.use(await TestDiscoveryServer.listen());
  let loads = 0;
  const xds = stack.use(
    await xdsFixture(
      { address: discovery.address },
      undefined,
      {},
      extensionHandlers(() => {
        loads += 1;
        return Promise.resolve(wasm.extensions);
      }),
    ),
  );
  server.answers.set("/fast.wasm", bytes(wasmModule("fast")));
  return {
    ...{ server, wasm, xds },
    loads: () => loads,
    open: async (encoding) => {
      const { stream, inbox } = xds.envoy(encoding);
      stream.enqueue(encoding.request({ typeUrl: typeUrl.extension, names: ["a", "b"] }));
      const upstream = await discovery.stream(discovery.streams.length);
      await upstream.inbox.next();
      return { stream, inbox, upstream };
    },
    plugin: (name, path, settings) =>
      wasmExtension({ name, url: `${server.url}${path}`, timeoutMs: 60_000, ...settings }),
    hold: (path) => {
      const released = Promise.withResolvers<void>();
      let isClosed = false;
      server.answers.set(path, (_, response) => {
        response.on("close", () => {
          isClosed = true;
        });
        void released.promise.then(() => response.end(wasmModule(path)));
      });
      return { closed: () => isClosed, release: () => released.resolve() };
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const unknownField = Buffer.from("fa3f0568656c6c6f", "hex");
const other = extension(
  "other",
  "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
  Buffer.from("x"),
);
const inline = wasmExtension({ name: "inline", code: { local: { inlineString: "x" } } });
const local = wasmExtension({ name: "local", code: { local: { filename: "/etc/plugin.wasm" } } });

for (const encoding of [sotw, delta]) {
  describe(`extension configurations with ${encoding.method}`, () => {
    test("without a remote module pass byte for byte, and nothing is loaded for those without Wasm", async () => {
      await using parts = await fixture();
      const { inbox, upstream } = await parts.open(encoding);
      const plain = Buffer.concat([extensionResponse(encoding, "1", [other, other]), unknownField]);
      upstream.stream.enqueue(plain);
      assert.deepEqual(await inbox.next(), plain);
      assert.equal(parts.loads(), 0);
      const withWasm = Buffer.concat([
        extensionResponse(encoding, "2", [other, inline, local]),
        unknownField,
      ]);
      upstream.stream.enqueue(withWasm);
      assert.deepEqual(await inbox.next(), withWasm);
      assert.equal(parts.loads(), 1);
    });

    test("get a file in place of a URL, and keep all else as it came", async () => {
      await using parts = await fixture();
      const { inbox, upstream } = await parts.open(encoding);
      const sent = extensionResponse(encoding, "1", [other, parts.plugin("a", "/fast.wasm"), local]);
      upstream.stream.enqueue(Buffer.concat([sent, unknownField]));
      const received = await inbox.next();
      assert.ok(received.subarray(-unknownField.length).equals(unknownField));
      const { nonce, extensions } = readExtensions(encoding, received);
      assert.equal(nonce, "1");
      assert.deepEqual(Object.keys(extensions), ["other", "a", "local"]);
      const { a } = extensions;
      assert.equal(a?.kind, "file");
      assert.ok(existsSync((a as { path: string }).path));
      assert.deepEqual(extensions["local"], { kind: "file", path: "/etc/plugin.wasm", environment: {} });
      for (const untouched of [other, local]) assert.ok(received.includes(Buffer.from(untouched)));
    });

    test("that wait for a module keep no other type back, and come in their own order", async () => {
      await using parts = await fixture();
      const held = parts.hold("/slow.wasm");
      const { inbox, upstream } = await parts.open(encoding);
      upstream.stream.enqueue(extensionResponse(encoding, "1", [parts.plugin("a", "/slow.wasm")]));
      const cluster = encoding.response({ typeUrl: typeUrl.cluster, nonce: "c" });
      upstream.stream.enqueue(cluster);
      assert.deepEqual(await inbox.next(), cluster);
      if (encoding.method === "DeltaAggregatedResources")
        upstream.stream.enqueue(extensionResponse(encoding, "2", [parts.plugin("b", "/fast.wasm"), other]));
      await inbox.staysEmpty(200);
      held.release();
      const first = readExtensions(encoding, await inbox.next());
      assert.deepEqual([first.nonce, first.extensions["a"]?.kind], ["1", "file"]);
      if (encoding.method !== "DeltaAggregatedResources") return;
      const second = readExtensions(encoding, await inbox.next());
      assert.deepEqual([second.nonce, second.extensions["b"]?.kind], ["2", "file"]);
    });

    test("are replaced by later ones, whose fetches alone go on", async () => {
      await using parts = await fixture();
      const held = parts.hold("/slow.wasm");
      const { inbox, upstream } = await parts.open(encoding);
      const slow = parts.plugin("a", "/slow.wasm");
      upstream.stream.enqueue(extensionResponse(encoding, "1", [slow, parts.plugin("b", "/fast.wasm")]));
      await eventually("the request", () => assert.ok(parts.server.requests.includes("GET /slow.wasm")), {
        withinMs: 5_000,
      });
      upstream.stream.enqueue(extensionResponse(encoding, "2", [parts.plugin("a", "/fast.wasm")]));
      if (encoding.method === "DeltaAggregatedResources") {
        const rest = readExtensions(encoding, await inbox.next());
        assert.deepEqual([rest.nonce, Object.keys(rest.extensions)], ["1", ["b"]]);
      }
      const { nonce, extensions } = readExtensions(encoding, await inbox.next());
      assert.deepEqual([nonce, Object.keys(extensions), extensions["a"]?.kind], ["2", ["a"], "file"]);
      await eventually("the fetch stopped", () => assert.ok(held.closed()), { withinMs: 5_000 });
      assert.deepEqual(
        parts.wasm.lines,
        parts.wasm.lines.filter((line) => line.includes("fetched")),
      );
    });

    test("that nobody could use are refused, and Envoy sees nothing of them", async () => {
      await using parts = await fixture();
      const { stream, inbox, upstream } = await parts.open(encoding);
      upstream.stream.enqueue(extensionResponse(encoding, "1", [parts.plugin("a", "/fast.wasm")]));
      await inbox.next();
      stream.enqueue(
        encoding.request({ typeUrl: typeUrl.extension, names: ["a", "b"], nonce: "1", known: { a: "1" } }),
      );
      await upstream.inbox.next();
      const broken = wasmExtension({ name: "b", code: {} });
      upstream.stream.enqueue(extensionResponse(encoding, "2", [parts.plugin("a", "/fast.wasm"), broken]));
      const refusal = encoding.readRequest(await upstream.inbox.next());
      const fields = refusal as unknown as Record<string, unknown>;
      assert.equal(refusal.typeUrl, typeUrl.extension);
      assert.equal(fields["responseNonce"], "2");
      assert.match(JSON.stringify(refusal.errorDetail), /b.{0,4}: it has neither local nor remote code/);
      if (encoding.method === "StreamAggregatedResources") {
        // Anything else would end the subscription, and claim to have what was refused.
        assert.deepEqual([fields["resourceNames"], fields["versionInfo"]], [["a", "b"], "1"]);
      }
      await inbox.staysEmpty(100);
      assert.ok(
        parts.xds.lines.some((line) => line.includes("neither local nor remote")),
        parts.xds.lines.join("\n"),
      );
      upstream.stream.enqueue(extensionResponse(encoding, "3", [parts.plugin("a", "/fast.wasm")]));
      assert.equal(readExtensions(encoding, await inbox.next()).nonce, "3");
    });

    test("follow what stood in for them once their modules are there, and the control plane hears nothing of it", async () => {
      const refetch = { initialMs: 50, multiplier: 1, maxMs: 50, jitter: 0 };
      await using parts = await fixture({ refetch });
      const { stream, inbox, upstream } = await parts.open(encoding);
      const missing = parts.plugin("a", "/missing.wasm", { failOpen: true });
      upstream.stream.enqueue(extensionResponse(encoding, "1", [missing, other]));
      assert.equal(readExtensions(encoding, await inbox.next()).extensions["a"]?.kind, "allow");
      const acknowledge = (nonce: string, names: readonly string[]): void => {
        const asks = encoding.method === "StreamAggregatedResources" ? ["a", "b", ...names] : names;
        stream.enqueue(encoding.request({ typeUrl: typeUrl.extension, nonce, names: asks }));
      };
      acknowledge("1", []);
      await upstream.inbox.next();
      parts.server.answers.set("/missing.wasm", bytes(wasmModule("late")));
      const late = readExtensions(encoding, await inbox.next());
      assert.deepEqual(
        [late.nonce, Object.keys(late.extensions), late.extensions["a"]?.kind],
        ["outrider-1", ["a"], "file"],
      );
      acknowledge("outrider-1", []);
      await upstream.inbox.staysEmpty(200);
      // What Envoy asks for besides is passed on, as if it followed the control plane's own response.
      acknowledge("outrider-1", ["c"]);
      const asked = encoding.readRequest(await upstream.inbox.next()) as unknown as Record<string, unknown>;
      if (encoding.method === "StreamAggregatedResources")
        assert.deepEqual([asked["responseNonce"], asked["resourceNames"]], ["1", ["a", "b", "c"]]);
      else assert.deepEqual([asked["responseNonce"], asked["resourceNamesSubscribe"]], ["", ["c"]]);
      assert.equal(parts.wasm.lines.filter((line) => line.includes("cannot be loaded")).length, 1);
      assert.ok(parts.wasm.lines.some((line) => line.includes("there at last")));
    });

    test("that stood in are given up when the control plane says something else", async () => {
      const refetch = { initialMs: 50, multiplier: 1, maxMs: 50, jitter: 0 };
      await using parts = await fixture({ refetch });
      const { inbox, upstream } = await parts.open(encoding);
      upstream.stream.enqueue(extensionResponse(encoding, "1", [parts.plugin("a", "/missing.wasm")]));
      assert.equal(readExtensions(encoding, await inbox.next()).extensions["a"]?.kind, "deny");
      upstream.stream.enqueue(
        extensionResponse(encoding, "2", [extension("a", "another", Buffer.from("x"))]),
      );
      assert.equal(readExtensions(encoding, await inbox.next()).extensions["a"]?.kind, "other");
      parts.server.answers.set("/missing.wasm", bytes(wasmModule("late")));
      await inbox.staysEmpty(300);
    });

    test("stop their fetches when Envoy goes, and when the control plane ends the stream", async () => {
      await using parts = await fixture();
      for (const end of ["Envoy", "control plane"] as const) {
        const held = parts.hold(`/${end.replace(" ", "-")}.wasm`);
        const { stream, inbox, upstream } = await parts.open(encoding);
        const slow = parts.plugin("a", `/${end.replace(" ", "-")}.wasm`);
        const asked = parts.server.requests.length;
        upstream.stream.enqueue(extensionResponse(encoding, "1", [slow]));
        await eventually("the request", () => assert.equal(parts.server.requests.length, asked + 1), {
          withinMs: 5_000,
        });
        if (end === "Envoy") stream.cancel();
        else upstream.end();
        await eventually("the fetch stopped", () => assert.ok(held.closed(), end), { withinMs: 5_000 });
        if (end === "control plane") await assert.rejects(inbox.next());
      }
      const again = await parts.open(encoding);
      again.upstream.stream.enqueue(extensionResponse(encoding, "1", [parts.plugin("a", "/fast.wasm")]));
      assert.equal(readExtensions(encoding, await again.inbox.next()).extensions["a"]?.kind, "file");
    });
  });
}

test("only so many extension configurations wait: then the control plane does", async () => {
  await using parts = await fixture();
  const held = parts.hold("/slow.wasm");
  const { inbox, upstream } = await parts.open(delta);
  upstream.stream.enqueue(extensionResponse(delta, "0", [parts.plugin("a", "/slow.wasm")]));
  for (let nonce = 1; nonce <= 20; nonce += 1)
    upstream.stream.enqueue(extensionResponse(delta, String(nonce), [other]));
  const cluster = delta.response({ typeUrl: typeUrl.cluster, nonce: "c" });
  upstream.stream.enqueue(cluster);
  await inbox.staysEmpty(300);
  held.release();
  const nonces: string[] = [];
  for (;;) {
    const message = await inbox.next();
    if (message.equals(cluster)) break;
    nonces.push(readExtensions(delta, message).nonce);
  }
  assert.ok(nonces.length >= 5, nonces.join(" "));
  assert.deepEqual(
    nonces,
    nonces.toSorted((a, b) => Number(a) - Number(b)),
  );
});

for (const encoding of [sotw, delta]) {
  test(`damaged extension configurations with ${encoding.method} are refused or pass, and nothing else ends`, async () => {
    await using parts = await fixture();
    const random = seeded(4);
    const sent = [
      extensionResponse(encoding, "1", [parts.plugin("a", "/fast.wasm"), other]),
      extensionResponse(encoding, "2", [
        wasmStruct({ name: "b", url: `${parts.server.url}/fast.wasm` }),
        local,
      ]),
    ];
    for (let round = 0; round < 150; round += 1) {
      const { stream, inbox, upstream } = await parts.open(encoding);
      upstream.stream.enqueue(mutate(sent[round % 2] ?? Buffer.alloc(1), random));
      const last = encoding.response({ typeUrl: typeUrl.route, nonce: "last" });
      upstream.stream.enqueue(last);
      for (;;) {
        const next = await inbox.next().catch((error: unknown) => error);
        if (next instanceof Error) assert.doesNotMatch(next.message, /no message within/);
        if (next instanceof Error || last.equals(next as Buffer)) break;
      }
      stream.cancel();
    }
    const { inbox, upstream } = await parts.open(encoding);
    upstream.stream.enqueue(extensionResponse(encoding, "9", [parts.plugin("a", "/fast.wasm")]));
    assert.equal(readExtensions(encoding, await inbox.next()).extensions["a"]?.kind, "file");
  });
}
