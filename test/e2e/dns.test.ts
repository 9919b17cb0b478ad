/** The mesh's names, from the control plane's folder to an answer of the sidecar's DNS proxy. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { askDns } from "../support/dns-client.ts";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/free-ports.ts";
import { get, startMs, TestMesh } from "../support/mesh.ts";
import { runOutrider } from "../support/outrider.ts";

function named(host: string, addresses: readonly string[]): object {
  return {
    ...{ apiVersion: "networking.istio.io/v1", kind: "ServiceEntry" },
    metadata: { name: host.replaceAll(".", "-"), namespace: "demo" },
    spec: {
      ...{ hosts: [host], addresses, resolution: "STATIC" },
      ports: [{ number: 80, name: "http", protocol: "HTTP" }],
      endpoints: [{ address: "127.0.0.1" }],
    },
  };
}

const withNames = (port: number): Readonly<Record<string, string>> => ({
  ...{ ISTIO_META_DNS_CAPTURE: "true", DNS_PROXY_ADDR: `127.0.0.1:${port}` },
});

test("a restart without the control plane answers names from the cache until it is back", async () => {
  await using mesh = await TestMesh.start({
    "names.yaml": [named("api.demo.svc.cluster.local", ["10.96.0.1"])],
  });
  const [port = 0] = await freePorts(1);
  const target = { host: "127.0.0.1", port };
  const isAnswered = async (expected: readonly string[]): Promise<void> =>
    eventually(
      `api is ${expected.join(" ")}`,
      async () => {
        assert.deepEqual((await askDns(target, "api.demo")).data, expected);
      },
      { withinMs: startMs },
    );
  const before = await mesh.sidecar("web", { env: withNames(port) });
  await before.ready();
  await isAnswered(["10.96.0.1"]);
  before.agent.kill("SIGTERM");
  await before.agent.exitWithin(20_000);
  mesh.controlPlane.kill("SIGKILL");
  await mesh.controlPlane.exitWithin(5_000);

  const web = await mesh.sidecar("web", { env: withNames(port) });
  await web.ready();
  await isAnswered(["10.96.0.1"]);
  const readiness = async (): Promise<string> =>
    (await get(web.ports.status, "/healthz/ready")).body.toString("utf8");
  assert.match(await readiness(), /stale: names of the mesh of \d+ s ago/);
  const explained = await runOutrider({
    args: ["dns", "api.demo", `--statusPort=${web.ports.status}`],
    ...{ cwd: mesh.folder, withinMs: startMs },
  });
  assert.match(explained.output, /^name table: from the cache, of \d{4}-/m);
  await eventually(
    "the problem is told",
    async () => {
      const causes = (await web.report()).problems?.map(({ cause }) => cause);
      assert.ok(causes?.includes("names-stale"), String(causes));
    },
    { withinMs: startMs },
  );

  mesh.write("names.yaml", named("api.demo.svc.cluster.local", ["10.96.0.2"]));
  await mesh.restartControlPlane();
  await isAnswered(["10.96.0.2"]);
  assert.equal(await readiness(), "");
});

test("names of the mesh are answered by either protocol, and follow it", async () => {
  await using mesh = await TestMesh.start({
    "names.yaml": [named("api.demo.svc.cluster.local", ["10.96.0.1", "fd00:96::1"])],
  });
  const ports = await freePorts(2);
  const sidecars = await Promise.all(
    ["true", "false"].map(async (delta, index) => {
      const port = ports[index] ?? 0;
      const sidecar = await mesh.sidecar(`web${index}`, {
        env: {
          ISTIO_META_DNS_CAPTURE: "true",
          DNS_PROXY_ADDR: `127.0.0.1:${port}`,
          ISTIO_DELTA_XDS: delta,
        },
      });
      await sidecar.ready();
      return { sidecar, target: { host: "127.0.0.1", port } };
    }),
  );
  const answers = async (name: string, type: "A" | "AAAA", expected: readonly string[]): Promise<void> => {
    for (const { target } of sidecars) {
      await eventually(
        `${type} of ${name}`,
        async () => {
          assert.deepEqual((await askDns(target, name, type)).data, expected);
        },
        { withinMs: startMs },
      );
    }
  };
  await answers("api", "A", ["10.96.0.1"]);
  await answers("api.demo.svc.cluster.local", "AAAA", ["fd00:96::1"]);
  mesh.write("names.yaml", named("api.demo.svc.cluster.local", ["10.96.0.2"]));
  await answers("api.demo", "A", ["10.96.0.2"]);
  await answers("api.demo", "AAAA", []);
  for (const { sidecar } of sidecars) assert.ok((await sidecar.metric("outrider_dns_table_hosts")) === 1);

  const [first] = sidecars;
  assert.ok(first !== undefined);
  const { exit, output } = await runOutrider({
    args: ["dns", "api.demo", `--statusPort=${first.sidecar.ports.status}`],
    ...{ cwd: mesh.folder, withinMs: startMs },
  });
  assert.deepEqual(exit, { kind: "exited", code: 0 });
  assert.match(output, /^api\.demo.*: 1 of A, from the name table by its .*\n {2}A 10\.96\.0\.2\n/);
  const shown = await get(first.sidecar.ports.status, "/debug/ndsz");
  assert.deepEqual(JSON.parse(shown.body.toString("utf8")), {
    table: {
      "api.demo.svc.cluster.local": {
        ...{ ips: ["10.96.0.2"], registry: "Kubernetes", shortname: "api", namespace: "demo" },
      },
    },
  });
});
