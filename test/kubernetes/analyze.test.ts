/** What outriderctl finds in real APIs of Kubernetes. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { listAt } from "../../src/lifecycle/json-path.ts";
import { RealCluster } from "../support/kubernetes/real-cluster.ts";
import { runCtl } from "../support/outriderctl.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

describe("analyze with a real API of Kubernetes", () => {
  test("tells what came of objects, and what injection is set to", { timeout: 600_000 }, async () => {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(temporaryFolder()).path;
    const cluster = stack.use(await RealCluster.start(join(folder, "cluster")));
    for (const name of ["demo", "istio-system"]) await cluster.namespace(name);
    const services = "/api/v1/namespaces/demo/services";
    for (const [name, status] of [
      ["bound", "True"],
      ["unbound", "False"],
    ] as const) {
      await cluster.put(services, {
        ...{ apiVersion: "v1", kind: "Service", metadata: { name, namespace: "demo" } },
        spec: { ports: [{ name: "http", port: 80 }], selector: { app: name } },
      });
      const condition = {
        ...{ type: "istio.io/WaypointBound", status, reason: "WaypointMissing", message: "no waypoint" },
        lastTransitionTime: "2026-01-31T12:00:00Z",
      };
      await cluster.putStatus(`${services}/${name}`, { conditions: [condition] });
    }
    const values = { sidecarInjectorWebhook: { enableNamespacesByDefault: true } };
    await cluster.put("/api/v1/namespaces/istio-system/configmaps", {
      ...{ apiVersion: "v1", kind: "ConfigMap" },
      metadata: { name: "istio-sidecar-injector", namespace: "istio-system" },
      data: { values: JSON.stringify(values) },
    });
    const found = await runCtl("analyze", "--use-kube", "--kubeconfig", cluster.kubeconfig());
    assert.equal(found.code, 0, found.errors.join("\n"));
    assert.deepEqual(
      found.lines.filter((line) => line.includes("IST0171")),
      [
        "Warning [IST0171] (Service demo/unbound) status.conditions[0]: istio.io/WaypointBound is False (WaypointMissing): no waypoint",
      ],
    );
    assert.match(found.lines.join("\n"), /^Info \[IST0148\] \(Namespace (?:default\/)?demo\)/m);
    assert.doesNotMatch(found.lines.join("\n"), /IST0102/);
  });

  test("tells where Services of one name differ", { timeout: 600_000 }, async () => {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(temporaryFolder()).path;
    const names = ["here", "west"];
    const clusters: RealCluster[] = [];
    for (const name of names) clusters.push(stack.use(await RealCluster.start(join(folder, name))));
    const parts = clusters.map((cluster): unknown => parse(readFileSync(cluster.kubeconfig(), "utf8")));
    const named = (key: string): readonly object[] =>
      parts.map((part, index) => ({ ...Object(listAt(part, key)[0]), name: names[index] }));
    const kubeconfig = join(folder, "kubeconfig");
    const config = {
      ...{ apiVersion: "v1", kind: "Config", clusters: named("clusters"), users: named("users") },
      contexts: names.map((name) => ({ name, context: { cluster: name, user: name } })),
      "current-context": "here",
    };
    writeFileSync(kubeconfig, JSON.stringify(config), { mode: 0o600 });
    const service = (name: string, port: number) => ({
      ...{ apiVersion: "v1", kind: "Service", metadata: { name, namespace: "demo" } },
      spec: { ports: [{ name: "http", port, targetPort: 8080 }], selector: { app: name } },
    });
    for (const [index, cluster] of clusters.entries()) {
      await cluster.namespace("demo");
      await cluster.put("/api/v1/namespaces/demo/services", service("same", 80));
      await cluster.put("/api/v1/namespaces/demo/services", service("api", 80 + index));
    }
    const words = ["analyze", "--kubeconfig", kubeconfig, "--context", "here", "--remote-contexts", "west"];
    const found = await runCtl(...words, "-n", "demo", "--failure-threshold", "Warning");
    assert.equal(found.code, 79, found.errors.join("\n"));
    assert.deepEqual(
      found.lines.filter((line) => line.includes("IST0170")),
      [
        "Warning [IST0170] (Service demo/api) spec.ports: differs between clusters, and the mesh takes them for one service: " +
          "[http 80 8080 TCP] in here, [http 81 8080 TCP] in west. Make it the same in each",
      ],
    );
    const nowhere = await runCtl(...words, "--remote-contexts", "east");
    assert.equal(nowhere.code, 1);
    assert.match(nowhere.errors.join("\n"), /has no context "east": name one of here, west/);
  });
});
