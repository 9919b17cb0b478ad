/** WasmPlugins and TrafficExtensions of the folder, between two real sidecars: the agent fetches what the control plane names. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { HttpServer } from "../../src/net/http-server.ts";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/free-ports.ts";
import { headerPlugin } from "../support/header-plugin.ts";
import { get, TestMesh, type TestSidecar } from "../support/mesh.ts";
import { apiHost, egress, ingress, mutualTls, service } from "../support/mesh-objects.ts";
import { startRegistry, tarLayer, type TestRegistry } from "../support/oci-registry.ts";
import { runCtl } from "../support/outriderctl.ts";

const stack = new AsyncDisposableStack();
const patience = { withinMs: 30_000 };
const user = { name: "reader", password: "secret-of-the-registry" };
let mesh: TestMesh;
let registry: TestRegistry;
let api: TestSidecar;
let outbound = 0;
let inbound = 0;

const call = () => get(outbound, "/", { host: apiHost });

const extension = (kind: string, name: string, spec: object): object => ({
  apiVersion: "extensions.istio.io/v1alpha1",
  kind,
  metadata: { name, namespace: "demo" },
  spec: { selector: { matchLabels: { app: "api" } }, ...spec },
});
const plugin = (version: string, more: object = {}): object =>
  extension("WasmPlugin", "header", { url: `oci://${registry.address}/header:${version}`, ...more });

const answers = (status: number, header: string | undefined): Promise<void> =>
  eventually(
    `answer ${status} with ${header}`,
    async () => {
      const answer = await call();
      assert.deepEqual([answer.status, answer.headers["x-plugin"]], [status, header]);
    },
    patience,
  ).catch((error: unknown) => {
    throw new Error([...api.agent.lines, ...mesh.controlPlane.lines].slice(-60).join("\n"), { cause: error });
  });

before(async () => {
  const [server = 0, client = 0] = await freePorts(2);
  [inbound, outbound] = [server, client];
  registry = stack.use(await startRegistry());
  for (const version of ["one", "two"])
    registry.push("header", version, [await tarLayer({ "plugin.wasm": await headerPlugin(version) })]);
  const app = stack.use(
    await HttpServer.listen({ host: "127.0.0.1", port: 0 }, (request, response) => {
      response.writeHead(200, { "x-seen": request.headers["x-lua"] ?? "" }).end("api");
    }),
  );
  mesh = stack.use(
    await TestMesh.start({
      "api.yaml": [service("api", [{ port: inbound }]), ingress("api", inbound, app.port)],
      "web.yaml": [egress("web", outbound)],
      "mtls.yaml": [mutualTls("STRICT")],
    }),
  );
  const env = { WASM_INSECURE_REGISTRIES: registry.address };
  const web = await mesh.sidecar("web", { env });
  api = await mesh.sidecar("api", { env });
  await Promise.all([web, api].map((sidecar) => sidecar.ready()));
});

after(() => stack.disposeAsync());

describe("a WasmPlugin of the folder", () => {
  test("runs in the sidecar that it selects, changes its module, and goes, and no request is lost by any of it", async () => {
    await answers(200, undefined);
    const failed: number[] = [];
    const stop = new AbortController();
    const load = (async () => {
      while (!stop.signal.aborted) {
        const { status } = await call();
        if (status !== 200) failed.push(status);
      }
    })();
    mesh.write("plugin.yaml", plugin("one"));
    await answers(200, "one");
    mesh.write("plugin.yaml", plugin("two"));
    await answers(200, "two");
    mesh.write("plugin.yaml", plugin("two", { match: [{ mode: "CLIENT" }] }));
    await answers(200, undefined);
    mesh.write("plugin.yaml", plugin("two", { match: [{ mode: "SERVER", ports: [{ number: inbound }] }] }));
    await answers(200, "two");
    mesh.write("plugin.yaml");
    await answers(200, undefined);
    stop.abort();
    await load;
    assert.deepEqual(failed, []);
  });

  test("whose module cannot be had keeps everybody out or lets them in, as it says", async () => {
    mesh.write("plugin.yaml", plugin("three", { failStrategy: "FAIL_OPEN" }));
    await eventually(
      "the agent looked",
      () => assert.ok(registry.requests.some((request) => request.includes("/header/manifests/three"))),
      patience,
    );
    await answers(200, undefined);
    mesh.write("plugin.yaml", plugin("three", { failStrategy: "FAIL_CLOSE" }));
    await answers(403, undefined);
    mesh.write("plugin.yaml", plugin("one"));
    await answers(200, "one");
  });

  test("whose module Envoy refuses costs itself only: the last one serves, and it is told which object it is", async () => {
    mesh.write("plugin.yaml", plugin("one"));
    await answers(200, "one");
    // The agent looks at the beginning of a module, Envoy at the whole.
    const broken = Buffer.concat([Buffer.from("0061736d01000000", "hex"), Buffer.from("no section")]);
    registry.push("header", "broken", [await tarLayer({ "plugin.wasm": broken })]);
    mesh.write("plugin.yaml", plugin("broken"));
    await eventually(
      "the refusal",
      () => {
        const told = mesh.controlPlane.lines.find((line) =>
          line.includes("a resource is refused by proxies"),
        );
        assert.match(told ?? "", /plugin\.yaml:1: WasmPlugin demo\/header" serves="last good"/);
      },
      patience,
    );
    const status = await runCtl("proxy-status");
    assert.match(status.lines.join("\n"), /^api-1\.demo ECDS: refused .*Unable to create Wasm plugin/m);
    const answer = await call();
    assert.deepEqual([answer.status, answer.headers["x-plugin"]], [200, "one"]);
    mesh.write("plugin.yaml", plugin("two"));
    await answers(200, "two");
  });

  test("brings the credentials of its image, which nobody else sees", async () => {
    registry.push("private", "one", [await tarLayer({ "plugin.wasm": await headerPlugin("private") })]);
    registry.demand("basic", user);
    const auths = {
      [registry.address]: { auth: Buffer.from(`${user.name}:${user.password}`).toString("base64") },
    };
    mesh.write(
      "plugin.yaml",
      extension("WasmPlugin", "header", {
        url: `oci://${registry.address}/private:one`,
        imagePullSecret: "registry",
      }),
    );
    await answers(403, undefined);
    mesh.write("secret.yaml", {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "registry", namespace: "demo" },
      type: "kubernetes.io/dockerconfigjson",
      stringData: { ".dockerconfigjson": JSON.stringify({ auths }) },
    });
    await answers(200, "private");
    const shown = [...api.agent.lines, ...mesh.controlPlane.lines].join("\n");
    for (const text of [user.password, Object.values(auths)[0]?.auth ?? ""]) assert.ok(!shown.includes(text));
    const dump = (await get(api.ports.admin, "/config_dump?include_eds")).body.toString("utf8");
    assert.match(dump, /\.wasm"/);
    assert.ok(!dump.includes("ISTIO_META") && !dump.includes(Object.values(auths)[0]?.auth ?? ""));
  });

  test("is shown by outriderctl", async () => {
    const ecds = await runCtl("proxy-config", "ecds", "api-1.demo");
    assert.equal(ecds.code, 0, ecds.errors.join("\n"));
    assert.match(
      ecds.lines.join("\n"),
      /trafficextension\/demo\.header~istio-translated-wasmplugin\s+envoy\.extensions\.filters\.http\.wasm\.v3\.Wasm/,
    );
    const status = await runCtl("proxy-status", "-o", "json");
    assert.equal(status.code, 0, status.errors.join("\n"));
    const { proxies } = JSON.parse(status.lines.join("\n")) as {
      readonly proxies: readonly {
        readonly name: string;
        readonly types: Record<string, { state: string }>;
      }[];
    };
    const stateOf = (name: string) =>
      proxies.find((each) => each.name.startsWith(name))?.types["ECDS"]?.state;
    assert.deepEqual([stateOf("api"), stateOf("web")], ["SYNCED", "NOT SENT"]);
  });
});

describe("a TrafficExtension of the folder", () => {
  test("is a script that stands in the listener", async () => {
    mesh.write(
      "plugin.yaml",
      extension("TrafficExtension", "script", {
        lua: {
          inlineCode: 'function envoy_on_request(handle) handle:headers():add("x-lua", "seen") end',
        },
      }),
    );
    await eventually(
      "the script",
      async () => assert.equal((await call()).headers["x-seen"], "seen"),
      patience,
    );
  });
});
