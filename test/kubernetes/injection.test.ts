/** Pods get their sidecars by a real API of Kubernetes, which takes every pod that injection makes. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parseAllDocuments } from "yaml";
import type { Fields } from "../../src/controlplane/inject/pod.ts";
import { workloadOf } from "../../src/controlplane/inject/workload.ts";
import type { ApiObject } from "../../src/controlplane/kubernetes/api.ts";
import { mappingOf, mappingsOf, pluralOf, textOf } from "../../src/controlplane/kubernetes/resource.ts";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/free-ports.ts";
import { injected, injectionCases } from "../support/injection.ts";
import { applyControlPlaneRole } from "../support/kubernetes/control-plane-role.ts";
import { RealCluster } from "../support/kubernetes/real-cluster.ts";
import { get, TestMesh } from "../support/mesh.ts";
import { withPod } from "../support/with-pod.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const withinMs = 120_000;
const configurations = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
const manifest = join(import.meta.dirname, "../../docker/kubernetes/injection.yaml");

/** The shipped configuration, at a port of this machine. */
function webhookAt(port: number): ApiObject {
  const object = parseAllDocuments(readFileSync(manifest, "utf8"))
    .map((document) => document.toJS() as ApiObject)
    .find(({ kind }) => kind === "MutatingWebhookConfiguration");
  return {
    ...object,
    webhooks: mappingsOf(object?.["webhooks"]).map(({ clientConfig: _config, ...rest }) => ({
      ...rest,
      clientConfig: { url: `https://localhost:${port}/inject` },
    })),
  };
}

/** As the API would take it, without keeping it. */
async function dryRun(cluster: RealCluster, path: string, body: object): Promise<ApiObject> {
  const request = { method: "POST", path, query: { dryRun: "All" }, body } as const;
  return cluster.api.send(request, AbortSignal.timeout(60_000));
}

function pathOf(object: Fields, namespace: string): string {
  const version = textOf(object["apiVersion"]);
  const root = version === "v1" ? "/api/v1" : `/apis/${version}`;
  return `${root}/namespaces/${namespace}/${pluralOf(textOf(object["kind"]))}`;
}

/** With an account, as the API's own plugin gives one, which is off here. */
const named = (pod: Fields, namespace: string): ApiObject => {
  const { ownerReferences: _, ...metadata } = mappingOf(pod["metadata"]);
  return {
    apiVersion: "v1",
    kind: "Pod",
    ...pod,
    metadata: { name: "web-1", ...metadata, namespace },
    spec: { serviceAccountName: "default", ...mappingOf(pod["spec"]) },
  };
};

const containersOf = (pod: ApiObject, list: string): readonly string[] =>
  mappingsOf(mappingOf(pod["spec"])[list]).map(({ name }) => textOf(name));

describe("injection with a real API of Kubernetes", () => {
  test("makes pods that the API takes, and asks when they are made", { timeout: 900_000 }, async () => {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(temporaryFolder()).path;
    const cluster = stack.use(
      await RealCluster.start(join(folder, "cluster"), { flags: ["--allow-privileged=true"] }),
    );
    const account = await applyControlPlaneRole(cluster);
    for (const name of ["plain", "mesh", "demo"]) await cluster.namespace(name);
    await cluster.put("/api/v1/namespaces", {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "mesh", labels: { "istio-injection": "enabled" } },
    });

    // Every result, as an object by itself.
    for (const each of injectionCases()) {
      const outcome = injected(each);
      if (outcome.kind !== "injected") continue;
      const object = withPod(each.object, outcome.pod);
      const metadata = { ...mappingOf(object["metadata"]), namespace: "plain" };
      const inNamespace = object["kind"] === "Pod" ? named(object, "plain") : { ...object, metadata };
      await assert.doesNotReject(dryRun(cluster, pathOf(object, "plain"), inNamespace), each.name);
    }

    const [port = 0] = await freePorts(1);
    const proxyConfig = {
      apiVersion: "networking.istio.io/v1beta1",
      kind: "ProxyConfig",
      metadata: { name: "all", namespace: "demo" },
      spec: { environmentVariables: { GREETING: "hello" } },
    };
    const mesh = stack.use(
      await TestMesh.start({ "proxies.yaml": [proxyConfig] }, [
        ...["--registries=Kubernetes", "--kubeconfig", cluster.kubeconfig(account)],
        ...["--httpsPort", String(port)],
      ]),
    );
    await cluster.put(configurations, webhookAt(port));
    const pod = named({ metadata: {}, spec: { containers: [{ name: "web", image: "web" }] } }, "mesh");
    const made = (object: ApiObject, namespace = "mesh"): Promise<ApiObject> =>
      dryRun(cluster, `/api/v1/namespaces/${namespace}/pods`, object);
    await eventually(
      "a pod with its sidecar",
      async () => assert.deepEqual(containersOf(await made(pod), "containers"), ["web", "istio-proxy"]),
      { withinMs },
    );

    // Every pod, as the API asks about it.
    for (const { name, object } of injectionCases()) {
      const template = workloadOf(object)?.template as Fields;
      const given = named(template, "mesh");
      const expected = injected({ given: {}, object: given });
      if (expected.kind === "refused") {
        const [problem] = expected.problems;
        await assert.rejects(
          made(given),
          new RegExp(`denied the request.*${RegExp.escape(problem?.path ?? "")}`, "s"),
        );
        continue;
      }
      const result = await made(given);
      const names = containersOf(expected.kind === "left" ? given : expected.pod, "containers");
      assert.deepEqual(containersOf(result, "containers"), names, name);
      // What the API has made of it is injected already: with its defaults it stays as it is.
      const { name: own, labels, annotations } = mappingOf(result["metadata"]);
      const again = await made({
        ...result,
        metadata: { name: own, namespace: "mesh", labels, annotations },
      });
      assert.deepEqual(again["spec"], result["spec"], name);
      assert.deepEqual(mappingOf(again["metadata"])["annotations"], annotations, name);
    }

    // Namespaces and pods that do not ask for it are left alone.
    assert.deepEqual(
      containersOf(await made({ ...pod, metadata: { name: "web-1" } }, "plain"), "containers"),
      ["web"],
    );
    const asking = { ...pod, metadata: { name: "web-1", labels: { "sidecar.istio.io/inject": "true" } } };
    assert.deepEqual(containersOf(await made(asking, "plain"), "containers"), ["web", "istio-proxy"]);

    const demo = await made({ ...asking, metadata: { ...asking.metadata, namespace: "demo" } }, "demo");
    assert.match(JSON.stringify(demo), /"name":"GREETING","value":"hello"/);
    const { body } = await get(mesh.controlPlanePorts.http, "/metrics");
    assert.match(body.toString("utf8"), /pilot_injections_total\{outcome="refused"\} [1-9]/);

    // Sidecars are native ones once every node knows them.
    await cluster.put("/api/v1/nodes", { apiVersion: "v1", kind: "Node", metadata: { name: "node-1" } });
    await cluster.putStatus("/api/v1/nodes/node-1", { nodeInfo: { kubeletVersion: "v1.36.3" } });
    await eventually(
      "a native sidecar",
      async () =>
        assert.deepEqual(containersOf(await made(pod), "initContainers"), ["istio-init", "istio-proxy"]),
      { withinMs },
    );
  });
});
