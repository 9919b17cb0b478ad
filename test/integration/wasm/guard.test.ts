import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { TlsPolicy } from "../../../src/grpc/tls-policy.ts";
import { GuardedHttp } from "../../../src/wasm/fetch/guarded-http.ts";
import { type Answer, bytes, startModuleServer, status } from "../../support/module-server.ts";
import { startRegistry, tarLayer } from "../../support/oci-registry.ts";
import { TestPki, validity } from "../../support/test-pki.ts";
import { wasmExtension, wasmModule } from "../../support/wasm-config.ts";
import { type WasmFixture, wasmFixture } from "../../support/wasm-fixture.ts";

const module = wasmModule();
const policy = { minVersion: "TLSv1.2", groups: ["prime256v1"] } as const;

async function kindOf(
  wasm: WasmFixture,
  url: string,
  environment: Record<string, string> = {},
): Promise<string> {
  return (await wasm.get(wasmExtension({ name: "a", url, environment, timeoutMs: 20_000 }))).kind;
}

function redirectTo(location: string): Answer {
  return status(302, { location });
}

describe("a fetch", () => {
  test("asks no server of this machine that is not named, however its address is written", async () => {
    await using server = await startModuleServer();
    using wasm = await wasmFixture({
      insecureRegistries: ["*", "another.example", `127.0.0.1:${server.port + 1}`],
    });
    server.answers.set("/a.wasm", bytes(module));
    for (const host of [
      "127.0.0.1",
      "localhost",
      "2130706433",
      "0x7f.1",
      "0",
      "[::1]",
      "[::ffff:127.0.0.1]",
      "127.9.9.9",
    ]) {
      assert.equal(await kindOf(wasm, `http://${host}:${server.port}/a.wasm`), "deny", host);
      assert.match(wasm.lines.at(-1) ?? "", /is one of this machine.*WASM_INSECURE_REGISTRIES/, host);
    }
    assert.deepEqual(server.requests, []);
  });

  test("asks no metadata service and no link-local address, be it named or not", async () => {
    using wasm = await wasmFixture({ insecureRegistries: ["*", "169.254.169.254", "100.100.100.200"] });
    for (const host of [
      "169.254.169.254",
      "[fe80::1]",
      "[::ffff:169.254.169.254]",
      "100.100.100.200",
      "[fd00:ec2::254]",
    ]) {
      assert.equal(await kindOf(wasm, `http://${host}/latest/meta-data`), "deny", host);
      assert.match(wasm.lines.at(-1) ?? "", /is link-local|metadata service/, host);
    }
  });

  test("asks no address that the operator has blocked", async () => {
    await using server = await startModuleServer();
    using wasm = await wasmFixture({ insecureRegistries: [server.address], blockedCidrs: ["127.0.0.0/24"] });
    server.answers.set("/a.wasm", bytes(module));
    assert.equal(await kindOf(wasm, `${server.url}/a.wasm`), "deny");
    assert.match(wasm.lines.at(-1) ?? "", /is in BLOCKED_CIDRS_IN_WASM_FETCH/);
    assert.deepEqual(server.requests, []);
  });

  test("looks at the address of each redirect anew", async () => {
    await using server = await startModuleServer();
    await using hidden = await startModuleServer();
    using wasm = await wasmFixture({ insecureRegistries: [server.address] });
    hidden.answers.set("/a.wasm", bytes(module));
    server.answers.set("/loopback", redirectTo(`${hidden.url}/a.wasm`));
    server.answers.set("/name", redirectTo(`http://localhost:${hidden.port}/a.wasm`));
    server.answers.set("/metadata", redirectTo("http://169.254.169.254/latest/meta-data"));
    server.answers.set("/own", redirectTo("/a.wasm"));
    server.answers.set("/a.wasm", bytes(module));
    for (const path of ["loopback", "name", "metadata"])
      assert.equal(await kindOf(wasm, `${server.url}/${path}`), "deny", path);
    assert.equal(await kindOf(wasm, `${server.url}/own`), "file");
    assert.deepEqual(hidden.requests, []);
  });

  test("asks whoever it was connected to, not only whom its name stood for", async () => {
    await using server = await startModuleServer();
    server.answers.set("/a.wasm", bytes(module));
    const asked: string[] = [];
    const http = new GuardedHttp({
      guard: (address) =>
        asked.push(address) > 1 ? { code: "special", words: "is another one by now" } : undefined,
      insecureRegistries: [server.address],
      roots: () => undefined,
      tlsPolicy: undefined,
      requestTimeoutMs: 15_000,
    });
    const url = new URL(`${server.url}/a.wasm`);
    await assert.rejects(
      http.send({ url, signal: new AbortController().signal }),
      /nothing is fetched from 127\.0\.0\.1, which is another one by now/,
    );
    assert.deepEqual(asked, ["127.0.0.1", "127.0.0.1"]);
    assert.deepEqual(server.requests, []);
  });

  test("of a server that is named needs no certificate that can be verified, and leads to no other without TLS", async () => {
    const { certificatePem, privateKeyPem } = await (
      await TestPki.create()
    ).serverKeyPair(["other.example"], validity(-1_000, 3_600_000));
    await using server = await startModuleServer({
      certificateChain: certificatePem,
      privateKey: privateKeyPem,
    });
    server.answers.set("/a.wasm", bytes(module));
    server.answers.set("/plain", redirectTo("http://another.example/a.wasm"));
    using wasm = await wasmFixture({ insecureRegistries: [server.address] });
    assert.equal(await kindOf(wasm, `${server.url}/a.wasm`), "file");
    assert.equal(await kindOf(wasm, `${server.url}/plain`), "deny");
    assert.match(wasm.lines.at(-1) ?? "", /a redirect from https to http/);
  });

  test("of any other server needs one for its name from a root that is trusted", async () => {
    const pki = await TestPki.create();
    const { certificatePem, privateKeyPem } = await pki.serverKeyPair(
      ["localhost"],
      validity(-1_000, 3_600_000),
    );
    await using server = await startModuleServer({
      certificateChain: certificatePem,
      privateKey: privateKeyPem,
    });
    server.answers.set("/a.wasm", bytes(module));
    const ask = async (host: string, roots: readonly string[], tlsPolicy?: TlsPolicy): Promise<number> => {
      // Only the addresses of this machine are out of the question, which a test cannot do without.
      const http = new GuardedHttp({
        guard: () => undefined,
        insecureRegistries: [],
        roots: () => Buffer.from(roots.join("\n")),
        tlsPolicy,
        requestTimeoutMs: 15_000,
      });
      const url = new URL(`https://${host}:${server.port}/a.wasm`);
      using response = await http.send({ url, signal: new AbortController().signal });
      return response.status;
    };
    const others = [(await TestPki.create()).rootPem, (await TestPki.create()).rootPem];
    await assert.rejects(ask("localhost", others), /is not trusted/);
    assert.equal(await ask("localhost", [...others, pki.rootPem]), 200);
    await assert.rejects(ask("127.0.0.1", [pki.rootPem]), /is not trusted: .*altnames/);
    // A policy that this server has nothing for.
    const old = { ...policy, maxVersion: "TLSv1.2", cipherSuites: ["ECDHE-RSA-AES128-GCM-SHA256"] } as const;
    await assert.rejects(ask("localhost", [pki.rootPem], old), /cannot be asked/);
    const fitting = { ...policy, maxVersion: "TLSv1.3", cipherSuites: ["TLS_AES_128_GCM_SHA256"] } as const;
    assert.equal(await ask("localhost", [pki.rootPem], fitting), 200);
  });

  test("takes credentials to no other server", async () => {
    await using registry = await startRegistry();
    await using storage = await startModuleServer();
    using wasm = await wasmFixture({ insecureRegistries: [registry.address, storage.address] });
    const layer = await tarLayer({ "plugin.wasm": module });
    registry.push("plugin", "v1", [layer]);
    registry.demand("basic", { name: "puller", password: "secret" });
    const [blob = ""] = [...registry.answers.keys()].filter((path) => path.includes("/blobs/"));
    registry.answers.set(blob, redirectTo(`${storage.url}/blob`));
    const shown: (string | undefined)[] = [];
    storage.answers.set("/blob", (request, response) => {
      shown.push(request.headers.authorization);
      bytes(layer.content)(request, response);
    });
    const auth = Buffer.from("puller:secret").toString("base64");
    const environment = {
      ISTIO_META_WASM_IMAGE_PULL_SECRET: JSON.stringify({ auths: { [registry.address]: { auth } } }),
    };
    assert.equal(await kindOf(wasm, `${registry.address}/plugin:v1`, environment), "file");
    assert.deepEqual(shown, [undefined]);
  });

  const realms = {
    "another server without TLS": [
      (port: number) => `http://localhost:${port}/token`,
      /wants tokens from .* without TLS/,
    ],
    "another server of this machine": [
      (port: number) => `https://localhost:${port}/token`,
      /is one of this machine/,
    ],
    "a metadata service": [() => "https://169.254.169.254/token", /is link-local/],
    "a server of a private network": [() => "https://10.0.0.1/token", /is one of a private network/],
  } as const;
  for (const [where, [realm, reason]] of Object.entries(realms)) {
    test(`shows credentials to no place for tokens that is ${where}`, async () => {
      await using registry = await startRegistry();
      await using other = await startModuleServer();
      using wasm = await wasmFixture({ insecureRegistries: [registry.address] });
      registry.answers.set(
        "/v2/plugin/manifests/v1",
        status(401, { "www-authenticate": `Bearer realm="${realm(other.port)}",service="x"` }),
      );
      assert.equal(await kindOf(wasm, `${registry.address}/plugin:v1`), "deny");
      assert.match(wasm.lines.at(-1) ?? "", reason);
      assert.deepEqual(other.requests, []);
    });
  }
});
