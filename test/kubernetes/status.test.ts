/** What came of objects is in their status, as the definitions of their kinds have it, and others' words in it stay. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { ApiObject } from "../../src/controlplane/kubernetes/api.ts";
import { mappingOf, mappingsOf } from "../../src/controlplane/kubernetes/resource.ts";
import { clusterService } from "../support/cluster-objects.ts";
import { eventually } from "../support/eventually.ts";
import { applyControlPlaneRole } from "../support/kubernetes/control-plane-role.ts";
import { defineCustomKinds } from "../support/kubernetes/custom-kinds.ts";
import { followedCluster } from "../support/kubernetes/followed-cluster.ts";
import { gatewayPaths, httpRoute, kubernetesGateway } from "../support/kubernetes/gateway-objects.ts";
import { RealCluster } from "../support/kubernetes/real-cluster.ts";
import { TestMesh } from "../support/mesh.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const withinMs = 60_000;
const rules = "/apis/networking.istio.io/v1/namespaces/demo/virtualservices";
const { gateways, httpRoutes } = gatewayPaths;

/** `Accepted=True Accepted 1`: type, status, reason and observed generation. */
function words(conditions: unknown): readonly string[] {
  return mappingsOf(conditions)
    .map(({ type, status, reason, observedGeneration }) =>
      [`${String(type)}=${String(status)}`, reason, observedGeneration].filter(Boolean).join(" "),
    )
    .toSorted();
}

function rule(name: string, host: string, spec: object = {}): ApiObject {
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name, namespace: "demo" },
    spec: { hosts: [`${name}.example.com`], http: [{ route: [{ destination: { host } }] }], ...spec },
  };
}

describe("the status of objects in a cluster", () => {
  test("says what came of each", { timeout: 900_000 }, async () => {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(temporaryFolder()).path;
    const cluster = stack.use(await RealCluster.start(join(folder, "cluster")));
    const account = await applyControlPlaneRole(cluster);
    await defineCustomKinds(cluster);
    await cluster.namespace("demo");
    const ip = { clusterIP: undefined, clusterIPs: undefined };
    await cluster.put("/api/v1/namespaces/demo/services", clusterService("api", { http: 80 }, ip));
    const statusOf = async (path: string): Promise<ApiObject> =>
      mappingOf((await cluster.get(path))["status"]);
    const says = (what: string, path: string, look: (status: ApiObject) => void): Promise<void> =>
      eventually(what, async () => look(await statusOf(path)), { withinMs });
    const parents = (status: ApiObject): object =>
      Object.fromEntries(
        mappingsOf(status["parents"]).map(({ parentRef, controllerName, conditions }) => [
          `${String(controllerName)} ${String(mappingOf(parentRef)["name"])}`,
          words(conditions),
        ]),
      );
    const own = "istio.io/gateway-controller";

    // Their own controllers say nothing of these: the API takes whatever they are.
    const http = { name: "http", port: 80, protocol: "HTTP" };
    const broken = {
      ...{ name: "tls", port: 443, protocol: "HTTPS" },
      tls: { certificateRefs: [{ name: "gone" }] },
    };
    await cluster.put(gateways, kubernetesGateway("edge", [http, broken]));
    await cluster.put(gateways, kubernetesGateway("theirs", [http], "nginx"));
    await cluster.put(httpRoutes, httpRoute("api", ["edge", "theirs", "nowhere"], "api"));
    await cluster.put(httpRoutes, httpRoute("lost", ["edge"], "gone"));
    // Another controller has said something already.
    const theirs = {
      parentRef: { group: "gateway.networking.k8s.io", kind: "Gateway", name: "theirs" },
      controllerName: "nginx.org/controller",
      conditions: [
        {
          ...{ type: "Accepted", status: "True", reason: "Accepted", message: "", observedGeneration: 1 },
          lastTransitionTime: "2026-01-01T00:00:00Z",
        },
      ],
    };
    await cluster.putStatus(`${httpRoutes}/api`, { parents: [theirs] });
    await cluster.put(rules, rule("good", "api.demo.svc.cluster.local"));
    await cluster.put(rules, rule("warned", "gone.demo.svc.cluster.local"));
    await cluster.put(rules, rule("refused", "api", { hosts: ["api"], tcp: [{ match: [{ port: 1 }] }] }));

    const mesh = stack.use(
      await TestMesh.start(
        { "doubled.yaml": [rule("doubled", "api.demo.svc.cluster.local")] },
        await followedCluster(cluster, account),
      ),
    );

    const ofEdge = "/api/v1/namespaces/demo/services";
    await cluster.put(
      ofEdge,
      clusterService(
        "edge-istio",
        { http: 80 },
        { clusterIP: undefined, clusterIPs: undefined, type: "LoadBalancer" },
      ),
    );
    await says("a Gateway's service by name", `${gateways}/edge`, (status) => {
      assert.deepEqual(status["addresses"], [
        { type: "Hostname", value: "edge-istio.demo.svc.cluster.local" },
      ]);
    });
    await cluster.putStatus(`${ofEdge}/edge-istio`, { loadBalancer: { ingress: [{ ip: "192.0.2.7" }] } });
    await says("its load balancer", `${gateways}/edge`, (status) => {
      assert.deepEqual(status["addresses"], [{ type: "IPAddress", value: "192.0.2.7" }]);
    });
    await says("a Gateway's conditions", `${gateways}/edge`, (status) => {
      assert.deepEqual(words(status["conditions"]), [
        "Accepted=True ListenersNotValid 1",
        "Programmed=True Programmed 1",
      ]);
      const [first = {}, second = {}] = mappingsOf(status["listeners"]);
      assert.equal(first["attachedRoutes"], 2);
      assert.deepEqual(first["supportedKinds"], [
        { group: "gateway.networking.k8s.io", kind: "HTTPRoute" },
        { group: "gateway.networking.k8s.io", kind: "GRPCRoute" },
      ]);
      assert.deepEqual(words(first["conditions"]), [
        "Accepted=True Accepted 1",
        "Conflicted=False NoConflicts 1",
        "Programmed=True Programmed 1",
        "ResolvedRefs=True ResolvedRefs 1",
      ]);
      assert.deepEqual(words(second["conditions"]), [
        "Accepted=True Accepted 1",
        "Conflicted=False NoConflicts 1",
        "Programmed=False Invalid 1",
        "ResolvedRefs=False InvalidCertificateRef 1",
      ]);
    });
    await says("a route's parents", `${httpRoutes}/api`, (status) =>
      assert.deepEqual(parents(status), {
        "nginx.org/controller theirs": ["Accepted=True Accepted 1"],
        [`${own} edge`]: ["Accepted=True Accepted 1", "ResolvedRefs=True ResolvedRefs 1"],
      }),
    );
    await says("a backend that is missing", `${httpRoutes}/lost`, (status) =>
      assert.deepEqual(parents(status), {
        [`${own} edge`]: ["Accepted=True Accepted 1", "ResolvedRefs=False BackendNotFound 1"],
      }),
    );
    await says("a rule that is served", `${rules}/good`, (status) => {
      assert.deepEqual(words(status["conditions"]), [
        "PassedAnalysis=True noneFound",
        "Reconciled=True Reconciled",
      ]);
      assert.equal(Number(status["observedGeneration"]), 1);
    });
    await says("a rule with a warning", `${rules}/warned`, (status) => {
      assert.deepEqual(words(status["conditions"]), [
        "PassedAnalysis=False warningsFound",
        "Reconciled=True Reconciled",
      ]);
      assert.deepEqual(status["validationMessages"], [
        {
          type: { name: "ReferencedResourceNotFound", code: "IST0101" },
          level: "ERROR",
          documentationUrl: "https://istio.io/latest/docs/reference/config/analysis/ist0101/",
        },
      ]);
    });
    await says("a rule that is refused", `${rules}/refused`, (status) => {
      assert.deepEqual(words(status["conditions"]), [
        "PassedAnalysis=False errorsFound",
        "Reconciled=False Refused",
      ]);
      assert.match(JSON.stringify(status["conditions"]), /spec\.tcp\[0\]/);
    });

    // Two have one object: the folder's counts.
    await cluster.put(rules, { ...rule("doubled", "api.demo.svc.cluster.local") });
    await says("a rule that the folder has", `${rules}/doubled`, (status) => {
      assert.ok(words(status["conditions"]).includes("Reconciled=False Conflicted"));
      assert.match(JSON.stringify(status["conditions"]), /doubled\.yaml/);
    });
    // A generation is said once it is served, and what has turned has a time of its own.
    await cluster.put(rules, rule("warned", "api.demo.svc.cluster.local"));
    await says("the warning gone", `${rules}/warned`, (status) => {
      assert.deepEqual(words(status["conditions"]), [
        "PassedAnalysis=True noneFound",
        "Reconciled=True Reconciled",
      ]);
      assert.equal(Number(status["observedGeneration"]), 2);
      assert.deepEqual(status["validationMessages"], []);
    });
    // What somebody takes away of ours comes back, beside what they have said.
    await cluster.putStatus(`${httpRoutes}/api`, { parents: [theirs] });
    await says("our words again", `${httpRoutes}/api`, (status) =>
      assert.deepEqual(Object.keys(parents(status)).toSorted(), [
        `${own} edge`,
        "nginx.org/controller theirs",
      ]),
    );
    // A Gateway that is refused is there all the same.
    const refused = kubernetesGateway("refused", [http]);
    const spec = { ...mappingOf(refused["spec"]), allowedListeners: { namespaces: { from: "All" } } };
    await cluster.put(gateways, { ...refused, spec });
    await cluster.put(httpRoutes, httpRoute("under", ["refused"], "api"));
    await says("a Gateway that is refused", `${gateways}/refused`, (status) => {
      assert.deepEqual(words(status["conditions"]), [
        "Accepted=False Invalid 1",
        "Programmed=False Invalid 1",
      ]);
      assert.match(JSON.stringify(status["conditions"]), /spec\.allowedListeners/);
    });
    await says("a route at a Gateway that is refused", `${httpRoutes}/under`, (status) => {
      assert.ok(
        words(mappingsOf(status["parents"])[0]?.["conditions"]).includes("Accepted=False NoMatchingParent 1"),
      );
      assert.match(JSON.stringify(status), /demo\/refused is refused/);
    });

    // Nothing is written that says what is said already.
    const version = async (): Promise<unknown> =>
      mappingOf((await cluster.get(`${rules}/good`))["metadata"])["resourceVersion"];
    const before = await version();
    await cluster.put(rules, rule("last", "api.demo.svc.cluster.local"));
    await says("a rule that came last", `${rules}/last`, (status) =>
      assert.ok(words(status["conditions"]).includes("Reconciled=True Reconciled")),
    );
    assert.equal(await version(), before);
    assert.equal(mesh.controlPlane.lines.join("\n").match(/cannot be written/g), null);
  });
});
