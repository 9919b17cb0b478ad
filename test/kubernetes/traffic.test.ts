/**
 * Two Envoys whose services, rules and identities come from a real API of Kubernetes: they follow it, and it may go. The control
 * plane has the rights that docker/kubernetes gives it, and no others.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { ApiObject } from "../../src/controlplane/kubernetes/api.ts";
import { mappingsOf } from "../../src/controlplane/kubernetes/resource.ts";
import { clusterPod, clusterService, clusterSlice } from "../support/cluster-objects.ts";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/free-ports.ts";
import { startApp } from "../support/http-app.ts";
import { applyControlPlaneRole } from "../support/kubernetes/control-plane-role.ts";
import { RealCluster } from "../support/kubernetes/real-cluster.ts";
import { startLoad } from "../support/load.ts";
import { get, TestMesh } from "../support/mesh.ts";
import { apiHost, egress, ingress, mutualTls } from "../support/mesh-objects.ts";
import { ownAddress } from "../support/own-address.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const withinMs = 60_000;
const services = "/api/v1/namespaces/demo/services";
const pods = "/api/v1/namespaces/demo/pods";
const slices = "/apis/discovery.k8s.io/v1/namespaces/demo/endpointslices";
const rules = "/apis/networking.istio.io/v1/namespaces/demo/virtualservices";
const root = "/api/v1/namespaces/demo/configmaps/istio-ca-root-cert";

const webhooks = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";

/** The configuration as it is, at a port of this machine. */
async function webhookAt(cluster: RealCluster, port: number): Promise<ApiObject> {
  const { apiVersion, kind, webhooks: given } = await cluster.get(`${webhooks}/outrider-validation`);
  return {
    apiVersion,
    kind,
    metadata: { name: "outrider-validation" },
    webhooks: mappingsOf(given).map(({ clientConfig: _config, ...rest }) => ({
      ...rest,
      failurePolicy: "Fail",
      clientConfig: { url: `https://localhost:${port}/validate` },
    })),
  };
}

/** A Sidecar whose first listener is at that address. */
function boundTo(address: string, object: object): object {
  return JSON.parse(JSON.stringify(object).replace('"bind":"127.0.0.1"', `"bind":"${address}"`)) as object;
}

const teapot = {
  apiVersion: "networking.istio.io/v1",
  kind: "VirtualService",
  metadata: { name: "api", namespace: "demo" },
  spec: { hosts: [apiHost], http: [{ directResponse: { status: 418, body: { string: "no" } } }] },
};

describe("with a real API of Kubernetes", () => {
  test("calls follow the cluster, and nothing is lost with the API", { timeout: 900_000 }, async () => {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(temporaryFolder()).path;
    const cluster = stack.use(await RealCluster.start(join(folder, "cluster")));
    const account = await applyControlPlaneRole(cluster);
    await cluster.namespace("demo");
    for (const name of ["web", "api"]) await cluster.serviceAccount("demo", name);
    const address = ownAddress();
    const [inbound = 0, outbound = 0, webhook = 0] = await freePorts(3);
    const app = stack.use(await startApp("api"));
    const elsewhere = { clusterIP: undefined, clusterIPs: undefined };
    await cluster.put(services, clusterService("api", { http: 80 }, elsewhere));
    const { status: _, ...pod } = clusterPod("api-1", address, "api");
    await cluster.put(pods, pod);
    await cluster.putStatus(`${pods}/api-1`, {
      phase: "Running",
      podIP: address,
      podIPs: [{ ip: address }],
    });
    const sliceOf = (...endpoints: readonly string[]) =>
      cluster.put(slices, clusterSlice("api", { http: inbound }, endpoints));
    await sliceOf(`api-1=${address}`);
    const mesh = stack.use(
      await TestMesh.start(
        {
          "api.yaml": [boundTo(address, ingress("api", inbound, app.port))],
          "web.yaml": [egress("web", outbound), mutualTls("STRICT")],
        },
        [
          ...["--registries=Kubernetes", "--kubeconfig", cluster.kubeconfig(account)],
          ...["--httpsPort", String(webhook)],
        ],
      ),
    );
    const token = (name: string): Promise<string> => cluster.token("demo", name, "istio-ca");
    const [web, api] = await Promise.all([
      mesh.sidecar("web", { token: await token("web") }),
      mesh.sidecar("api", { token: await token("api"), env: { INSTANCE_IP: address } }),
    ]);
    await Promise.all([web.ready(), api.ready()]);
    const call = () => get(outbound, "/", { host: apiHost });
    const answers = (what: string, expected: string | number): Promise<void> =>
      eventually(
        what,
        async () => {
          const { status, body } = await call();
          assert.equal(typeof expected === "number" ? status : body.toString("utf8"), expected);
        },
        { withinMs },
      );
    await answers("a call through both Envoys", "api");
    assert.ok(app.requests.at(-1)?.["x-forwarded-client-cert"]?.includes("spiffe://"), "by mutual TLS");
    await sliceOf();
    await answers("no endpoint", 503);
    await sliceOf(`api-1=${address}`);
    await answers("the endpoint again", "api");

    // The root is in the namespace, and comes back; the CA is a Secret.
    await eventually(
      "the root",
      async () => {
        const { data } = (await cluster.get(root)) as { readonly data?: Record<string, string> };
        assert.equal(data?.["root-cert.pem"], mesh.rootPem);
      },
      { withinMs },
    );
    await cluster.remove(root);
    await eventually("the root again", () => cluster.get(root), { withinMs });
    await cluster.get("/api/v1/namespaces/istio-system/secrets/istio-ca-secret");

    // Istio's kinds come while the control plane runs.
    await cluster.defineKind("networking.istio.io", "VirtualService", "virtualservices");
    await eventually("a rule", () => cluster.put(rules, teapot), { withinMs });
    await answers("the rule", 418);
    // What is wrong is not taken, once the webhook's configuration has the root: there is no Service to reach it by here.
    await cluster.put(webhooks, await webhookAt(cluster, webhook));
    const wrong = { ...teapot, spec: { ...teapot.spec, nonsense: true } };
    await eventually(
      "a refusal",
      () => assert.rejects(cluster.put(rules, wrong), /denied the request.*spec\.nonsense/),
      {
        withinMs,
      },
    );
    await cluster.remove(`${rules}/api`);
    await answers("no rule", "api");
    // What is kept is up to five seconds older than what is served.
    const kept = join(mesh.folder, "state/registries");
    await eventually(
      "nothing kept of the rule",
      () => {
        const files = readdirSync(kept);
        assert.ok(files.length > 0);
        for (const name of files)
          assert.doesNotMatch(readFileSync(join(kept, name), "utf8"), /directResponse/);
      },
      { withinMs },
    );

    await using load = startLoad(call);
    const up = async (): Promise<number> => {
      const { body } = await get(mesh.controlPlanePorts.http, "/metrics");
      return Number(/pilot_registry_up\{registry="kubernetes"\} (\d)/.exec(body.toString("utf8"))?.[1]);
    };
    const isUp = (expected: number): Promise<void> =>
      eventually(`registry_up ${expected}`, async () => assert.equal(await up(), expected), { withinMs });
    await cluster.killApi();
    await isUp(0);
    await load.more(50);
    // Started anew while the API is gone: what was kept is served, and signed with.
    mesh.controlPlane.kill("SIGKILL");
    await mesh.controlPlane.exited;
    await mesh.restartControlPlane();
    await load.more(50);
    await cluster.startApi();
    await isUp(1);
    await load.more(50);
    assert.deepEqual(await load.stop(), []);
    await sliceOf();
    await answers("no endpoint", 503);
  });
});
