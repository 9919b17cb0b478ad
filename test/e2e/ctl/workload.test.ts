/** A machine that starts from the folder that `outriderctl workload entry configure` has written, and from nothing else. */
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parse, stringify } from "yaml";
import { testEnvoy } from "../../support/envoy.ts";
import { eventually } from "../../support/eventually.ts";
import { freePorts } from "../../support/free-ports.ts";
import { startApp } from "../../support/http-app.ts";
import { get, startMs, TestMesh } from "../../support/mesh.ts";
import { egress, ingress, mutualTls } from "../../support/mesh-objects.ts";
import { startOutrider } from "../../support/outrider.ts";
import { runCtl } from "../../support/outriderctl.ts";
import { hasRoot } from "../../support/privilege.ts";

const withinMs = { withinMs: startMs };

const service = {
  apiVersion: "networking.istio.io/v1",
  kind: "ServiceEntry",
  metadata: { name: "web", namespace: "demo" },
  spec: {
    hosts: ["web.demo.svc.cluster.local"],
    location: "MESH_INTERNAL",
    resolution: "STATIC",
    ports: [{ number: 80, name: "http", protocol: "HTTP" }],
    workloadSelector: { labels: { app: "web" } },
  },
};

/** The files where Istio's documentation and docker/systemd put them, below `home`. */
function lay(from: string, home: string): void {
  const places = {
    "cluster.env": "var/lib/istio/envoy/cluster.env",
    "mesh.yaml": "etc/istio/config/mesh",
    "root-cert.pem": "etc/certs/root-cert.pem",
    "istio-token": "var/run/secrets/tokens/istio-token",
    hosts: "etc/hosts",
  };
  for (const [name, place] of Object.entries(places)) {
    mkdirSync(join(home, place, ".."), { recursive: true });
    copyFileSync(join(from, name), join(home, place));
  }
}

/** In a mount namespace with the machine's names, and with its variables, as systemd has them. */
const launcher = [
  ...["unshare", "--mount", "sh", "-ec"],
  'mount --bind etc/hosts /etc/hosts; set -a; . ./var/lib/istio/envoy/cluster.env; exec "$@"',
  "machine",
];

describe("a machine with the files of outriderctl workload", () => {
  test("joins, is registered, and is called over mutual TLS while its workload is well", async (t) => {
    if (!hasRoot(t)) return;
    const [inbound = 0, outbound = 0, admin = 0, status = 0, envoyStatus = 0, prometheus = 0] =
      await freePorts(6);
    await using stack = new AsyncDisposableStack();
    const app = await startApp("web");
    stack.use(app);
    const objects = [
      service,
      ingress("web", inbound, app.port),
      egress("api", outbound),
      mutualTls("STRICT"),
    ];
    const mesh = stack.use(
      await TestMesh.start({ "mesh.yaml": objects }, ["--workloadEntryGracePeriod", "1s"]),
    );

    const created = await runCtl(
      ...["x", "workload", "group", "create", "--name", "web", "--namespace", "demo", "--labels", "app=web"],
      ...["--ports", `http=${inbound}`, "--serviceAccount", "web"],
    );
    assert.deepEqual([created.code, created.errors], [0, []]);
    const group = parse(created.lines.join("\n")) as { spec: object };
    mesh.write("group.yaml", {
      ...group,
      spec: { ...group.spec, probe: { periodSeconds: 1, httpGet: { path: "/healthz", port: app.port } } },
    });

    const [meshConfig, output] = [join(mesh.folder, "mesh-config.yaml"), join(mesh.folder, "files")];
    const defaultConfig = {
      discoveryAddress: `istiod.istio-system.svc:${mesh.controlPlanePorts.tls}`,
      ...{ proxyAdminPort: admin, statusPort: status, concurrency: 1, terminationDrainDuration: "1s" },
    };
    writeFileSync(meshConfig, stringify({ defaultConfig }));
    const configured = await runCtl(
      ...["workload", "entry", "configure", "--name", "web", "--namespace", "demo", "--autoregister"],
      ...[
        "--config",
        mesh.configFolder,
        "--stateDir",
        join(mesh.folder, "state"),
        "--meshConfig",
        meshConfig,
      ],
      ...["--ingressIP", "127.0.0.1", "--internalIP", "127.0.0.1", "--capture-dns=false", "-o", output],
    );
    assert.deepEqual([configured.code, configured.lines], [0, [`the files of the machine are in ${output}`]]);
    assert.match(
      configured.errors.join("\n"),
      /^\S+istio-token makes whoever has it the service account web of demo/,
    );
    assert.equal(statSync(join(output, "istio-token")).mode & 0o777, 0o600);
    assert.equal(readFileSync(join(output, "hosts"), "utf8"), "127.0.0.1 istiod.istio-system.svc\n");

    const home = join(mesh.folder, "machine");
    lay(output, home);
    const client = await mesh.sidecar("api");
    await client.ready();
    const call = (): ReturnType<typeof get> => get(outbound, "/", { host: "web.demo.svc.cluster.local" });
    assert.equal((await call()).status, 503);

    const agent = stack.use(
      startOutrider({
        launcher,
        args: ["proxy", "sidecar"],
        cwd: home,
        env: {
          ENVOY_PATH: await testEnvoy(),
          ...{ PROV_CERT: "./etc/certs", OUTPUT_CERTS: "./etc/certs", POD_NAME: "vm-1" },
          ISTIO_META_INTERCEPTION_MODE: "NONE",
          ENVOY_STATUS_PORT: String(envoyStatus),
          ENVOY_PROMETHEUS_PORT: String(prometheus),
        },
      }),
    );
    await eventually(
      "a call of the machine",
      async () => {
        const { status, body } = await call();
        assert.deepEqual([status, body.toString("utf8")], [200, "web"], agent.lines.slice(-30).join("\n"));
      },
      withinMs,
    );
    assert.match(
      String(app.requests.at(-1)?.["x-forwarded-client-cert"]),
      /URI=spiffe:\/\/cluster\.local\/ns\/demo\/sa\/api/,
    );

    agent.kill("SIGTERM");
    await agent.exitWithin(startMs);
    await eventually(
      "no machine",
      async () => {
        assert.equal((await call()).status, 503);
        assert.match(
          mesh.controlPlane.lines.join("\n"),
          /did not come back, and is forgotten\s+machine=demo\/web-127\.0\.0\.1/,
        );
      },
      withinMs,
    );
  });
});
