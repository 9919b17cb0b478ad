/** A gateway: it captures nothing, serves what the control plane or its own bootstrap says, and drains all of it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { Agent, type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { describe, test } from "node:test";
import { directResponseListener } from "../support/envoy-config.ts";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/free-ports.ts";
import { startApp } from "../support/http-app.ts";
import { get, TestMesh, workloadReady } from "../support/mesh.ts";
import { ingress, mutualTls, service } from "../support/mesh-objects.ts";
import { startOutrider } from "../support/outrider.ts";
import { StandaloneSidecar } from "../support/standalone-sidecar.ts";
import { type IssuedKeyPair, TestPki, validity } from "../support/test-pki.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { askOverTls, serialOf, startTls } from "../support/tls-server.ts";

test("with the release's bootstrap it is a router to the control plane, and ready", async () => {
  await using mesh = await TestMesh.start({});
  const gateway = await mesh.workload("ingress");
  await using agent = startOutrider({
    args: ["proxy", "router", "--domain", "demo.svc.cluster.local", "--proxyLogLevel=warning"],
    cwd: gateway.folder,
    env: gateway.env,
  });
  await workloadReady(gateway, agent);
  const info = JSON.parse((await get(gateway.ports.admin, "/server_info")).body.toString("utf8")) as {
    readonly node: { readonly id: string };
  };
  assert.equal(info.node.id, "router~127.0.0.1~ingress-1.demo~demo.svc.cluster.local");
  assert.equal((await get(gateway.ports.envoyStatus, "/healthz/ready")).status, 200);
  agent.kill("SIGTERM");
  assert.deepEqual(await agent.exitWithin(20_000), { kind: "exited", code: 0 }, agent.lines.join("\n"));
});

test("it serves what Gateways and rules for them say, and calls sidecars by mutual TLS", async () => {
  const [http = 0, https = 0, passed = 0, secured = 0, inbound = 0] = await freePorts(5);
  await using app = await startApp("api");
  const pki = await TestPki.create();
  const certificate = await pki.serverKeyPair(["shop.example.com"], validity(-60_000, 3_600_000));
  await using behind = await startTls(certificate);
  const server = (number: number, protocol: string, more: object): object => ({
    port: { number, name: `p-${number}`, protocol },
    bind: "127.0.0.1",
    hosts: ["*.example.com"],
    ...more,
  });
  const files = { serverCertificate: "tls.crt", privateKey: "tls.key" };
  const objectOf = (kind: string, spec: object): object => ({
    apiVersion: "networking.istio.io/v1",
    kind,
    metadata: { name: "shop", namespace: "demo" },
    spec,
  });
  const to = [{ destination: { host: "api" } }];
  await using mesh = await TestMesh.start({
    "behind.yaml": [
      {
        apiVersion: "networking.istio.io/v1",
        kind: "ServiceEntry",
        metadata: { name: "behind", namespace: "demo" },
        spec: {
          hosts: ["behind.example.net"],
          resolution: "STATIC",
          ports: [{ number: 443, name: "tls", protocol: "TLS" }],
          endpoints: [{ address: "127.0.0.1", ports: { tls: behind.port } }],
        },
      },
    ],
    "api.yaml": [service("api", [{ port: inbound }]), ingress("api", inbound, app.port), mutualTls("STRICT")],
    "gateway.yaml": [
      objectOf("Gateway", {
        selector: { app: "ingress" },
        servers: [
          server(http, "HTTP", {}),
          server(https, "HTTPS", { tls: { mode: "SIMPLE", ...files } }),
          server(passed, "TLS", { tls: { mode: "PASSTHROUGH" } }),
          server(secured, "HTTPS", { tls: { mode: "SIMPLE", credentialName: "shop" } }),
        ],
      }),
      objectOf("VirtualService", {
        hosts: ["shop.example.com"],
        gateways: ["shop"],
        http: [
          { match: [{ uri: { prefix: "/old" } }], rewrite: { uri: "/new" }, route: to },
          { match: [{ uri: { prefix: "/nowhere" }, gateways: ["mesh"] }], directResponse: { status: 500 } },
          { route: to },
        ],
        tls: [
          {
            match: [{ sniHosts: ["shop.example.com"] }],
            route: [{ destination: { host: "behind.example.net" } }],
          },
        ],
      }),
    ],
  });
  const secret = ({ certificatePem, privateKeyPem }: IssuedKeyPair): object => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "shop", namespace: "demo" },
    type: "kubernetes.io/tls",
    stringData: { "tls.crt": certificatePem, "tls.key": privateKeyPem },
  });
  mesh.write("secret.yaml", secret(certificate));
  const [gateway, api] = await Promise.all([
    mesh.sidecar("ingress", {
      type: "router",
      prepare: async (folder) => {
        writeFileSync(join(folder, "tls.crt"), certificate.certificatePem);
        writeFileSync(join(folder, "tls.key"), certificate.privateKeyPem);
        await Promise.resolve();
      },
    }),
    mesh.sidecar("api"),
  ]);
  await Promise.all([gateway.ready(), api.ready()]);

  await eventually(
    "a request over the gateway",
    async () => {
      assert.equal((await get(http, "/old/a?b=c", { host: "shop.example.com" })).status, 200);
    },
    { withinMs: 20_000 },
  );
  const seen = app.requests.at(-1);
  assert.equal(seen?.["x-envoy-original-path"], "/old/a?b=c");
  assert.match(
    String(seen["x-forwarded-client-cert"]),
    /URI=spiffe:\/\/cluster\.local\/ns\/demo\/sa\/ingress/,
  );
  assert.equal((await get(http, "/", { host: "other.example.com" })).status, 404);
  assert.equal((await get(http, "/nowhere", { host: "shop.example.com" })).status, 200);

  // Where TLS ends the answer is the application's, where it passes that of the server behind.
  const options = { servername: "shop.example.com", ca: pki.rootPem };
  assert.equal((await askOverTls(https, options)).body, "api");
  assert.equal((await askOverTls(passed, options)).body, "behind");
  await assert.rejects(askOverTls(passed, { ...options, servername: "other.example.com" }));

  // A Secret that is replaced is in use at once; nobody reads it in what the control plane shows.
  assert.equal((await askOverTls(secured, options)).serial, serialOf(certificate));
  const renewed = await pki.serverKeyPair(["shop.example.com"], validity(-60_000, 3_600_000));
  mesh.write("secret.yaml", secret(renewed));
  await eventually(
    "the renewed certificate",
    async () => {
      assert.equal((await askOverTls(secured, options)).serial, serialOf(renewed));
    },
    { withinMs: 20_000 },
  );
});

/** A proxy of this type before an application, on a bootstrap of its own: its listener is of no direction. */
async function startBefore(
  type: "sidecar" | "router",
  appPort: number,
  folder: string,
): Promise<{ readonly proxy: StandaloneSidecar; readonly port: number }> {
  const [port = 0] = await freePorts(1);
  const endpoint = { address: { socket_address: { address: "127.0.0.1", port_value: appPort } } };
  const proxy = await StandaloneSidecar.ready({
    folder,
    type,
    proxyConfig: { terminationDrainDuration: "4s" },
    bootstrap: {
      listeners: [directResponseListener({ port, cluster: "app" })],
      clusters: [
        {
          name: "app",
          type: "STATIC",
          connect_timeout: "1s",
          load_assignment: { cluster_name: "app", endpoints: [{ lb_endpoints: [{ endpoint }] }] },
        },
      ],
    },
  });
  return { proxy, port };
}

/** A request on a new connection that its client would keep, and what the answer says of that. */
async function askToKeep(
  port: number,
): Promise<{ readonly status: number | undefined; readonly connection: string | undefined }> {
  const agent = new Agent({ keepAlive: true });
  try {
    const asked = request({ host: "127.0.0.1", port, agent }).end();
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    response.resume();
    return { status: response.statusCode, connection: response.headers.connection };
  } finally {
    agent.destroy();
  }
}

describe("on SIGTERM", () => {
  test("a gateway drains every listener, and lets requests in flight finish", async () => {
    using folder = temporaryFolder();
    await using app = await startApp("app");
    const { proxy, port } = await startBefore("router", app.port, folder.path);
    await using gateway = proxy;
    const slow = get(port, "/slow?ms=1500");
    await eventually("the slow request", () => assert.equal(app.requests.length, 1), { withinMs: 10_000 });
    gateway.agent.kill("SIGTERM");
    await eventually(
      "a word to the client that this connection ends",
      async () => {
        assert.deepEqual(await askToKeep(port), { status: 200, connection: "close" });
      },
      { withinMs: 5_000 },
    );
    assert.equal((await slow).status, 200);
    assert.deepEqual(await gateway.agent.exitWithin(20_000), { kind: "exited", code: 0 });
    assert.match(gateway.agent.lines.join("\n"), /node=router~/);
  });

  test("a sidecar leaves alone what is not inbound", async () => {
    using folder = temporaryFolder();
    await using app = await startApp("app");
    const { proxy, port } = await startBefore("sidecar", app.port, folder.path);
    await using sidecar = proxy;
    sidecar.agent.kill("SIGTERM");
    await eventually(
      "the drain",
      () => assert.ok(sidecar.agent.lines.some((line) => line.includes("draining"))),
      { withinMs: 10_000 },
    );
    assert.deepEqual(await askToKeep(port), { status: 200, connection: undefined });
  });
});
