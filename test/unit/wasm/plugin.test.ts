import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Plugin, readPlugin } from "../../../src/wasm/plugin.ts";
import { standIn } from "../../../src/wasm/stand-in.ts";
import { mutate, seeded } from "../../support/mutate.ts";
import {
  extension,
  type PluginSettings,
  readExtension,
  wasmExtension,
  wasmJson,
  wasmStruct,
} from "../../support/wasm-config.ts";

const url = "oci://ghcr.io/team/plugin:v1";
const encodings = { "a message": wasmExtension, "a TypedStruct": wasmStruct };

function remote(plugin: Plugin): Extract<Plugin, { kind: "remote" }> {
  assert.equal(plugin.kind, "remote", JSON.stringify(plugin));
  return plugin;
}

for (const [encoding, make] of Object.entries(encodings)) {
  describe(`a plugin in ${encoding}`, () => {
    test("says what to fetch, from its code and from what the control plane put into its environment", () => {
      const environment = {
        ISTIO_META_WASM_IMAGE_PULL_SECRET: "{}",
        ISTIO_META_WASM_IMAGE_PULL_POLICY: "Always",
        ISTIO_META_WASM_PLUGIN_RESOURCE_VERSION: "12",
      };
      const sha256 = "A".repeat(64);
      const plugin = remote(readPlugin(make({ name: "a", url, sha256, timeoutMs: 30_000, environment })));
      assert.deepEqual([plugin.name, plugin.filter, plugin.failOpen], ["a", "http", false]);
      assert.deepEqual(plugin.module, {
        url,
        sha256: "a".repeat(64),
        timeoutMs: 30_000,
        pullSecret: "{}",
        pullPolicy: "always",
        resourceVersion: "12",
      });
      const bare = remote(readPlugin(make({ name: "a", url, sha256: "nil", filter: "network" })));
      assert.equal(bare.filter, "network");
      assert.deepEqual(bare.module, {
        url,
        sha256: undefined,
        timeoutMs: 5_000,
        pullSecret: undefined,
        pullPolicy: "unspecified",
        resourceVersion: "",
      });
    });

    test("gets a file, and loses what was meant for the agent and nothing else", () => {
      const environment = {
        ISTIO_META_WASM_IMAGE_PULL_SECRET: "secret",
        ISTIO_METAJSON_X: "1",
        REGION: "eu",
      };
      const runtime = "envoy.wasm.runtime.v8";
      const rewritten = remote(readPlugin(make({ name: "a", url, environment, runtime }))).withFile(
        "/data/x.wasm",
      );
      assert.deepEqual(readExtension(rewritten), {
        kind: "file",
        path: "/data/x.wasm",
        environment: { REGION: "eu" },
      });
      const text = Buffer.from(rewritten).toString("latin1");
      assert.ok(text.includes(runtime));
      assert.doesNotMatch(text, /secret|ISTIO_META|ghcr/);
    });

    const policies: readonly (readonly [Partial<PluginSettings>, boolean])[] = [
      [{}, false],
      [{ failOpen: true }, true],
      [{ failurePolicy: "FAIL_OPEN" }, true],
      [{ failurePolicy: "FAIL_CLOSED", failOpen: true }, false],
      [{ failurePolicy: "FAIL_RELOAD", failOpen: true }, false],
    ];
    for (const [settings, failOpen] of policies) {
      test(`fails ${failOpen ? "open" : "closed"} with ${JSON.stringify(settings)}`, () => {
        assert.equal(remote(readPlugin(make({ name: "a", url, ...settings }))).failOpen, failOpen);
      });
    }

    test("with its code inline is left alone, with a file it is known, without either it is broken", () => {
      const inline = { local: { inlineBytes: "AGFzbQ==" } };
      assert.deepEqual(readPlugin(make({ name: "a", code: inline })), { kind: "other" });
      const file = { local: { filename: "/x.wasm" } };
      const known = { kind: "file", name: "a", filter: "http", failOpen: false, path: "/x.wasm" };
      assert.deepEqual(readPlugin(make({ name: "a", code: file })), known);
      const broken = readPlugin(make({ name: "a", code: {} }));
      assert.equal(broken.kind, "broken");
      const withoutUri = readPlugin(make({ name: "a", code: { remote: {} } }));
      assert.equal(withoutUri.kind === "broken" && withoutUri.result, "miss_remote_fetch_hint");
    });
  });
}

test("a TypedStruct may call its fields by either name", () => {
  const fields = {
    config: {
      vm_config: {
        runtime: "v8",
        code: { remote: { http_uri: { uri: url, timeout: "2s" } } },
        environment_variables: { key_values: { ISTIO_META_X: "1", REGION: "eu" } },
      },
      fail_open: true,
    },
  };
  const plugin = remote(readPlugin(wasmStruct({ name: "a" }, fields)));
  assert.deepEqual([plugin.failOpen, plugin.module.timeoutMs], [true, 2_000]);
  assert.deepEqual(readExtension(plugin.withFile("/x.wasm")), {
    kind: "file",
    path: "/x.wasm",
    environment: { REGION: "eu" },
  });
});

test("a deadline is never none", () => {
  for (const [seconds, expected] of [
    ["-5s", 5_000],
    ["0s", 5_000],
    ["0.0004s", 1],
    ["86400s", 600_000],
  ] as const) {
    const fields = wasmJson({ name: "a", url });
    const struct = JSON.parse(
      JSON.stringify(fields).replace('"uri"', `"timeout":"${seconds}","uri"`),
    ) as typeof fields;
    assert.equal(remote(readPlugin(wasmStruct({ name: "a" }, struct))).module.timeoutMs, expected, seconds);
  }
});

test("what is no filter of Wasm is left alone", () => {
  const lua = "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua";
  assert.deepEqual(readPlugin(extension("a", lua, Buffer.from("xyz"))), { kind: "other" });
  assert.deepEqual(readPlugin(extension("a", "constructor", Buffer.from("xyz"))), { kind: "other" });
  assert.deepEqual(readPlugin(new Uint8Array()), { kind: "other" });
});

test("damaged configurations are read or broken, and never throw", () => {
  const random = seeded(11);
  const sent = [wasmExtension({ name: "a", url, timeoutMs: 1_000 }), wasmStruct({ name: "a", url })];
  const kinds = new Set<string>();
  for (let round = 0; round < 2_000; round += 1) {
    const plugin = readPlugin(mutate(Buffer.from(sent[round % 2] ?? []), random));
    if (plugin.kind === "remote") plugin.withFile("/x.wasm");
    kinds.add(plugin.kind);
  }
  assert.ok(kinds.has("broken") && kinds.has("remote"), [...kinds].join(" "));
});

test("what stands in for a module allows or denies everything", () => {
  for (const filter of ["http", "network"] as const) {
    const type = `envoy.extensions.filters.${filter}.rbac.v3.RBAC`;
    assert.deepEqual(readExtension(standIn("a", filter, true)), {
      kind: "allow",
      prefix: "wasm-default-allow",
      type,
    });
    assert.deepEqual(readExtension(standIn("a", filter, false)), {
      kind: "deny",
      prefix: "wasm-default-deny",
      type,
    });
  }
});
