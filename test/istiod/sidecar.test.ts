import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { GrpcChannel } from "../../src/grpc/channel.ts";
import { testEnvoy } from "../support/envoy.ts";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/free-ports.ts";
import { startApp } from "../support/http-app.ts";
import { inboxOf } from "../support/inbox.ts";
import { accountToken } from "../support/istiod/account-token.ts";
import { type Istiod, startIstiod } from "../support/istiod/istiod.ts";
import { startLoad } from "../support/load.ts";
import { get, startMs } from "../support/mesh.ts";
import { egress, plainText, service } from "../support/mesh-objects.ts";
import { type RunningOutrider, startOutrider } from "../support/outrider.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { delta } from "../support/xds-messages.ts";

interface Sidecar {
  readonly agent: RunningOutrider;
  readonly folder: string;
  readonly statusPort: number;
}

async function sidecar(istiod: Istiod, folder: string): Promise<Sidecar> {
  const [adminPort = 0, statusPort = 0, envoyStatus = 0, prometheus = 0] = await freePorts(4);
  for (const [path, content] of [
    ["var/run/secrets/istio/root-cert.pem", istiod.rootPem],
    ["var/run/secrets/tokens/istio-token", accountToken("demo", "web", { pod: { name: "web-1" } })],
    ["etc/istio/pod/labels", 'app="web"\n'],
  ] as const) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  const agent = startOutrider({
    args: ["proxy", "sidecar"],
    cwd: folder,
    env: {
      ENVOY_PATH: await testEnvoy(),
      POD_NAME: "web-1",
      POD_NAMESPACE: "demo",
      SERVICE_ACCOUNT: "web",
      // istiod takes whoever has the address of a service for the service itself.
      INSTANCE_IP: "127.0.0.9",
      ISTIO_META_CLUSTER_ID: "Kubernetes",
      ISTIO_META_DNS_CAPTURE: "true",
      ISTIO_META_INTERCEPTION_MODE: "NONE",
      PROXY_CONFIG_XDS_AGENT: "true",
      ENVOY_STATUS_PORT: String(envoyStatus),
      ENVOY_PROMETHEUS_PORT: String(prometheus),
      PROXY_CONFIG: JSON.stringify({
        discoveryAddress: `localhost:${istiod.ports.tls}`,
        proxyAdminPort: adminPort,
        statusPort,
        concurrency: 1,
        terminationDrainDuration: "1s",
      }),
    },
  });
  return { agent, folder, statusPort };
}

interface ProxyStatus {
  readonly proxy: string;
  readonly resources?: Readonly<Record<string, { readonly sent?: string; readonly acked?: string }>>;
}

describe("with a real istiod", () => {
  test("a sidecar gets certificate and configuration, is SYNCED, and serves while istiod is killed and started", async () => {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(temporaryFolder()).path;
    const [outbound = 0] = await freePorts(1);
    const app = stack.use(await startApp("api"));
    const istiod = stack.use(
      await startIstiod(join(folder, "istiod"), {
        // An egress listener of a port is for the services of that port.
        "api.yaml": [service("api", [{ port: app.port }], outbound), plainText("api")],
        "web.yaml": [egress("web", outbound)],
      }),
    );
    const web = await sidecar(istiod, join(folder, "web"));
    stack.use(web.agent);
    const ready = (): Promise<void> =>
      eventually(
        "ready",
        async () => {
          const { status } = await get(web.statusPort, "/healthz/ready");
          assert.equal(status, 200, web.agent.lines.slice(-20).join("\n"));
        },
        { withinMs: startMs },
      );
    await ready();
    const call = () => get(outbound, "/", { host: "api.demo.svc.cluster.local" });
    assert.equal((await call()).body.toString("utf8"), "api");
    const synced = (): Promise<void> =>
      eventually(
        "proxy-status SYNCED",
        async () => {
          const { body } = await get(istiod.ports.http, "/debug/syncz");
          const proxies = JSON.parse(body.toString("utf8")) as readonly ProxyStatus[];
          const { resources = {} } = proxies.find(({ proxy }) => proxy === "web-1.demo") ?? {};
          const types = Object.entries(resources).filter(([, { sent }]) => sent !== undefined);
          assert.ok(types.length >= 5, Object.keys(resources).join(" "));
          for (const [type, { sent, acked }] of types) assert.equal(acked, sent, type);
        },
        { withinMs: startMs },
      );
    await synced();

    // What istioctl asks, with the rights of the workload.
    using channel = new GrpcChannel({
      address: `unix:${join(web.folder, "etc/istio/proxy/XDS")}`,
      tls: undefined,
    });
    const ask = (type: string, names: readonly string[]) => {
      const stream = channel.stream(
        `/envoy.service.discovery.v3.AggregatedDiscoveryService/${delta.method}`,
        {},
      );
      stream.enqueue(delta.request({ typeUrl: type, names }));
      return inboxOf(stream);
    };
    await assert.rejects(ask("istio.io/debug", ["syncz"]).next(), { code: "PERMISSION_DENIED" });
    const page = await ask("istio.io/debug/syncz", []).next();
    assert.ok(page.includes("web-1"), "the workload's own status");

    await using load = startLoad(call);
    await istiod.kill();
    await eventually("noticed", async () => assert.notEqual(await xdsState(web), "connected"), {
      withinMs: startMs,
    });
    await istiod.restart();
    await eventually("connected", async () => assert.equal(await xdsState(web), "connected"), {
      withinMs: startMs * 2,
    });
    await synced();
    assert.deepEqual(await load.stop(), []);
  });
});

async function xdsState({ statusPort }: Sidecar): Promise<string> {
  const { body } = await get(statusPort, "/debug/status");
  return (JSON.parse(body.toString("utf8")) as { xds: { state: string } }).xds.state;
}
