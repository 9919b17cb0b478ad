/** The rights that docker/kubernetes gives the control plane are enough, and none of them is not used: by the API's own audit log. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { mappingsOf } from "../../src/controlplane/kubernetes/resource.ts";
import { eventually } from "../support/eventually.ts";
import { applyControlPlaneRole } from "../support/kubernetes/control-plane-role.ts";
import { defineCustomKinds } from "../support/kubernetes/custom-kinds.ts";
import { objectOfEveryKind } from "../support/kubernetes/every-kind.ts";
import { followedCluster } from "../support/kubernetes/followed-cluster.ts";
import { RealCluster } from "../support/kubernetes/real-cluster.ts";
import { auditedIn, covers, describeRight, rightsIn } from "../support/kubernetes/rights.ts";
import { TestMesh } from "../support/mesh.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const withinMs = 120_000;
const manifest = join(import.meta.dirname, "../../docker/kubernetes/registry.yaml");
const user = "system:serviceaccount:istio-system:outrider-discovery";
const auditPolicy = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  rules: [{ level: "Metadata", users: [user] }, { level: "None" }],
};

describe("the control plane's rights in a cluster", () => {
  test("are those that it uses", { timeout: 900_000 }, async () => {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(temporaryFolder()).path;
    // One that does not stream lists, as older ones: kinds are listed, and then watched.
    const flags = ["--feature-gates=WatchList=false"];
    const cluster = stack.use(await RealCluster.start(join(folder, "cluster"), { auditPolicy, flags }));
    const account = await applyControlPlaneRole(cluster);
    await defineCustomKinds(cluster);
    await cluster.namespace("demo");
    await cluster.serviceAccount("demo", "web");
    for (const { collection, object } of objectOfEveryKind()) await cluster.put(collection, object);
    const mesh = stack.use(await TestMesh.start({}, await followedCluster(cluster, account)));
    const web = await mesh.sidecar("web", { token: await cluster.token("demo", "web", "istio-ca") });
    await web.ready();
    // Somebody changes the root, which is written again.
    const map = "/api/v1/namespaces/demo/configmaps/istio-ca-root-cert";
    await eventually("the root", () => cluster.get(map), { withinMs });
    const collection = map.slice(0, map.lastIndexOf("/"));
    await cluster.put(collection, {
      ...{ apiVersion: "v1", kind: "ConfigMap" },
      metadata: { name: "istio-ca-root-cert", namespace: "demo" },
      data: { "root-cert.pem": "another" },
    });

    const given = rightsIn(manifest);
    assert.ok(given.length > 50, "the manifest has roles");
    await eventually(
      "each right used",
      () => {
        const used = auditedIn(cluster.auditLog).filter((each) => each.user === user && each.code < 300);
        const idle = given.filter((right) => !used.some((asked) => covers(right, asked)));
        // Which of the two Secrets is the CA's is known once the first was asked for, and is not there.
        const asked = auditedIn(cluster.auditLog).filter((each) => each.code === 404);
        const unused = idle.filter((right) => !asked.some((each) => covers(right, each)));
        assert.deepEqual(unused.map(describeRight), []);
      },
      { withinMs },
    );
    const refused = auditedIn(cluster.auditLog).filter(({ code }) => code === 401 || code === 403);
    assert.deepEqual([...new Set(refused.map(describeRight))], []);
    // Each object has a status, those that are refused as well.
    for (const { collection: path, object } of objectOfEveryKind()) {
      const { name } = object["metadata"] as { readonly name: string };
      const { status } = (await cluster.get(`${path}/${name}`)) as { readonly status?: object };
      assert.ok(mappingsOf([status]).length === 1, `${path}/${name} has no status`);
    }
  });
});
