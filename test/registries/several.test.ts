/** A mesh whose services are in a folder, in Kubernetes and in Consul: they call each other, whichever of them is gone. */
import assert from "node:assert/strict";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { clusterPod, clusterService, clusterSlice } from "../support/cluster-objects.ts";
import { RealConsul } from "../support/consul/consul.ts";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/free-ports.ts";
import { startApp } from "../support/http-app.ts";
import { applyControlPlaneRole } from "../support/kubernetes/control-plane-role.ts";
import { RealCluster } from "../support/kubernetes/real-cluster.ts";
import { startLoad } from "../support/load.ts";
import { get, TestMesh } from "../support/mesh.ts";
import { mutualTls, service } from "../support/mesh-objects.ts";
import { runCtl } from "../support/outriderctl.ts";
import { ownAddress } from "../support/own-address.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const withinMs = 60_000;

/** What Consul and the folder both have an instance of. */
const sharedHost = "shared.service.consul";
const pods = "/api/v1/namespaces/demo/pods";

/** A workload, and where it is registered. */
interface Member {
  readonly name: string;
  readonly namespace: string;
  readonly host: string;
  readonly address: string;
}

/** The folder's instance of it, beside one of Consul's at the port by which both are called. */
function sharedService(number: number, ownPort: number): object {
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "ServiceEntry",
    metadata: { name: "shared", namespace: "default" },
    spec: {
      hosts: [sharedHost],
      location: "MESH_INTERNAL",
      resolution: "STATIC",
      ports: [{ number, name: "web", protocol: "HTTP" }],
      endpoints: [{ address: "127.0.0.1", ports: { web: ownPort } }],
    },
  };
}

/** Takes calls at one port, and makes them at another. */
function sidecarOf(
  { name, namespace, address }: Member,
  ports: { readonly inbound: number; readonly outbound: number; readonly app: number },
): object {
  const port = (number: number): object => ({ number, name: "http", protocol: "HTTP" });
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "Sidecar",
    metadata: { name, namespace },
    spec: {
      workloadSelector: { labels: { app: name } },
      ingress: [
        {
          ...{ port: port(ports.inbound), bind: address, captureMode: "NONE" },
          defaultEndpoint: `127.0.0.1:${ports.app}`,
        },
      ],
      egress: [{ port: port(ports.outbound), bind: "127.0.0.1", captureMode: "NONE", hosts: ["*/*"] }],
    },
  };
}

describe("services of a folder, Kubernetes and Consul in one mesh", () => {
  test(
    "call each other by mutual TLS, and go on when any of these is gone",
    { timeout: 900_000 },
    async () => {
      await using stack = new AsyncDisposableStack();
      const folder = stack.use(temporaryFolder()).path;
      const cluster = stack.use(await RealCluster.start(join(folder, "cluster")));
      const consul = stack.use(await RealConsul.start(join(folder, "consul")));
      const account = await applyControlPlaneRole(cluster);
      await cluster.namespace("demo");
      const own = ownAddress();
      const members: readonly Member[] = [
        { name: "filed", namespace: "demo", host: "filed.demo.svc.cluster.local", address: "127.0.0.1" },
        { name: "clustered", namespace: "demo", host: "clustered.demo.svc.cluster.local", address: own },
        { name: "catalogued", namespace: "default", host: "catalogued.service.consul", address: "127.0.0.1" },
      ];
      const [webhook = 0, ...free] = await freePorts(7);
      const apps = await Promise.all(members.map(async ({ name }) => stack.use(await startApp(name))));
      const portsOf = (index: number) => ({
        inbound: free[2 * index] ?? 0,
        outbound: free[2 * index + 1] ?? 0,
        app: apps[index]?.port ?? 0,
      });
      const inbound = (index: number): number => portsOf(index).inbound;

      const ip = { clusterIP: undefined, clusterIPs: undefined };
      await cluster.put("/api/v1/namespaces/demo/services", clusterService("clustered", { http: 80 }, ip));
      const { status: _, ...pod } = clusterPod("clustered-1", own, "clustered");
      await cluster.put(pods, pod);
      await cluster.putStatus(`${pods}/clustered-1`, {
        ...{ phase: "Running", podIP: own, podIPs: [{ ip: own }] },
      });
      await cluster.put(
        "/apis/discovery.k8s.io/v1/namespaces/demo/endpointslices",
        clusterSlice("clustered", { http: inbound(1) }, [`clustered-1=${own}`]),
      );
      await consul.register({
        ...{ id: "catalogued-1", name: "catalogued", address: "127.0.0.1", port: inbound(2) },
        meta: { protocol: "http", serviceAccount: "catalogued" },
      });
      // An agent that is started again knows of a check what it was told, and not how it was registered.
      await consul.check("catalogued-1", "pass");
      const ofConsul = stack.use(await startApp("of Consul"));
      const ofFolder = stack.use(await startApp("of the folder"));
      await consul.register({
        ...{ id: "shared-1", name: "shared", address: "127.0.0.1", port: ofConsul.port },
        meta: { protocol: "http" },
      });
      await consul.check("shared-1", "pass");
      const tokenFile = join(folder, "consul-token");
      writeFileSync(tokenFile, await consul.readToken());
      const strict = mutualTls("STRICT") as { readonly metadata: object };
      const mesh = stack.use(
        await TestMesh.start(
          {
            "filed.yaml": [service("filed", [{ port: inbound(0) }])],
            "shared.yaml": [sharedService(ofConsul.port, ofFolder.port)],
            "sidecars.yaml": members.map((member, index) => sidecarOf(member, portsOf(index))),
            "strict.yaml": [strict, { ...strict, metadata: { ...strict.metadata, namespace: "default" } }],
          },
          [
            ...["--registries=Kubernetes,Consul", "--kubeconfig", cluster.kubeconfig(account)],
            ...["--httpsPort", String(webhook)],
            ...["--consulserverURL", consul.url],
            ...["--consulTokenFile", tokenFile],
          ],
        ),
      );
      const sidecars = await Promise.all(
        members.map(async ({ name, namespace, address }) => {
          await cluster.serviceAccount(namespace, name);
          const token = await cluster.token(namespace, name, "istio-ca");
          const env = { POD_NAMESPACE: namespace, INSTANCE_IP: address };
          return mesh.sidecar(name, { token, env });
        }),
      );
      await Promise.all(sidecars.map((each) => each.ready()));

      /** Each to each other. */
      const calls = members.flatMap((from, index) =>
        members.filter((to) => to !== from).map((to) => ({ from, to, port: portsOf(index).outbound })),
      );
      for (const { from, to, port } of calls) {
        await eventually(
          `${from.name} calls ${to.name}`,
          async () => {
            const { status, body } = await get(port, "/", { host: to.host });
            assert.equal(`${status} ${body.toString("utf8")}`, `200 ${to.name}`);
          },
          { withinMs },
        );
        const app = apps[members.indexOf(to)];
        const peer = app?.requests.at(-1)?.["x-forwarded-client-cert"] ?? "";
        const identity = `spiffe://cluster.local/ns/${from.namespace}/sa/${from.name}`;
        assert.ok(peer.includes(identity), `${from.name} to ${to.name}: ${String(peer)}`);
      }

      const caller = portsOf(0).outbound;
      const seen = new Set<string>();
      await eventually(
        "both instances of the shared service",
        async () => {
          const { status, body } = await get(caller, "/", { host: sharedHost });
          seen.add(`${status} ${body.toString("utf8")}`);
          assert.deepEqual(seen, new Set(["200 of Consul", "200 of the folder"]));
        },
        { withinMs },
      );

      let next = 0;
      await using load = startLoad(() => {
        const { to, port } = calls[next] ?? { to: { host: sharedHost }, port: caller };
        next = (next + 1) % (calls.length + 1);
        return get(port, "/", { host: to.host });
      });
      const page = async (path: string): Promise<string> =>
        (await get(mesh.controlPlanePorts.http, path)).body.toString("utf8");
      const isUp = (registry: string, expected: number): Promise<void> =>
        eventually(
          `${registry} ${expected}`,
          async () => {
            const found = new RegExp(`pilot_registry_up\\{registry="${registry}"\\} (\\d)`).exec(
              await page("/metrics"),
            );
            assert.equal(Number(found?.[1]), expected);
          },
          { withinMs },
        );

      // One after the other is gone: what it had is served, and it is said which one it is.
      await cluster.killApi();
      await isUp("kubernetes", 0);
      await isUp("consul", 1);
      const port = mesh.controlPlanePorts.http;
      const { lines } = await runCtl("proxy-status", "--http-address", `127.0.0.1:${port}`);
      assert.match(lines.join("\n"), /registry kubernetes: does not answer; what it had .* ago is served/);
      assert.doesNotMatch(lines.join("\n"), /registry consul/);
      await load.more(60);
      await cluster.startApi();
      await isUp("kubernetes", 1);
      await consul.kill();
      await isUp("consul", 0);
      await isUp("kubernetes", 1);
      await load.more(60);
      await consul.start();
      await isUp("consul", 1);
      renameSync(mesh.configFolder, `${mesh.configFolder}-gone`);
      await eventually(
        "a word on the folder",
        async () => assert.match(await page("/debug/configz"), /ENOENT|cannot be read|is not there/),
        { withinMs },
      );
      await load.more(60);
      renameSync(`${mesh.configFolder}-gone`, mesh.configFolder);
      await load.more(60);
      assert.deepEqual(await load.stop(), []);
    },
  );
});
