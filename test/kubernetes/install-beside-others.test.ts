/** Installations beside what others have in a real API of Kubernetes, and where the API is not well. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { at } from "../../src/lifecycle/json-path.ts";
import { eventually } from "../support/eventually.ts";
import { installationCluster, succeeded } from "../support/kubernetes/installation-cluster.ts";
import { runCtlOf } from "../support/outriderctl.ts";

const timeout = 600_000;
const deployment = "/apis/apps/v1/namespaces/istio-system/deployments/outrider-discovery";
const { signal } = new AbortController();

describe("an installation beside others in a real API of Kubernetes", () => {
  const on = installationCluster(timeout);
  const { ctl, everything, purged, withoutNamespace } = on;

  test(
    "a field or an object of somebody else is told, with whose it is, and nothing is changed",
    { timeout },
    async () => {
      succeeded(await ctl("0.1.0", "install", "--set", "profile=minimal"));
      await on.cluster.api.send(
        {
          method: "PATCH",
          path: deployment,
          query: { fieldManager: "autoscaler" },
          body: { spec: { replicas: 5 } },
          contentType: "application/merge-patch+json",
        },
        signal,
      );
      const conflict = await ctl("0.1.0", "install", "--set", "profile=minimal");
      assert.equal(conflict.code, 2);
      assert.deepEqual(conflict.errors, [
        'Deployment istio-system/outrider-discovery .spec.replicas is set by "autoscaler": leave it to that, or take it over with --force',
        "nothing was changed",
      ]);
      succeeded(await ctl("0.1.0", "install", "--set", "profile=minimal", "--force"));
      assert.equal(at(await on.cluster.get(deployment), "spec", "replicas"), 2);
      await purged();

      await on.cluster.namespace("istio-system");
      await on.cluster.put("/api/v1/namespaces/istio-system/services", {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "istiod", namespace: "istio-system" },
        spec: { ports: [{ port: 15012 }], selector: { app: "istiod" } },
      });
      const before = await everything();
      const foreign = await ctl("0.1.0", "install", "--set", "profile=minimal");
      assert.equal(foreign.code, 2);
      assert.match(
        foreign.errors.join("\n"),
        /Service istio-system\/istiod is there, and outriderctl did not make it \(test did\): remove it, or take it over with --force/,
      );
      assert.deepEqual(await everything(), before);
      // One beside it takes nothing of it.
      const canary = ["--revision", "canary", "--set", "profile=minimal"];
      succeeded(await ctl("0.1.0", "install", ...canary));
      succeeded(await ctl("0.1.0", "uninstall", "--revision", "canary"));
      await purged();
      assert.deepEqual(await everything(), before);

      // Taken over it is theirs still: it is used, and stays.
      const path = "/api/v1/namespaces/istio-system/services/istiod";
      const labels = async (): Promise<unknown> => at(await on.cluster.get(path), "metadata", "labels");
      succeeded(await ctl("0.1.0", "install", "--set", "profile=minimal", "--force"));
      assert.deepEqual(await labels(), {
        app: "outrider-discovery",
        "outrider.dev/taken-over-by": "default",
      });
      const again = await ctl("0.1.0", "install", "--set", "profile=minimal");
      succeeded(again);
      assert.match(again.lines.at(-1) ?? "", /objects: \d+ unchanged/);
      const away = await ctl("0.1.0", "uninstall", "--revision", "default");
      succeeded(away);
      assert.match(
        away.lines.join("\n"),
        /^Service istio-system\/istiod stays: test made it, and it has fields that install --force laid over it/m,
      );
      assert.deepEqual(await labels(), { app: "outrider-discovery" });
      await purged();
      assert.deepEqual(await everything(), before);
      // No controller takes what is in a namespace away with it.
      await on.cluster.remove("/api/v1/namespaces/istio-system/services/istiod");
      await withoutNamespace();
    },
  );

  test("a namespace that is being removed is told, and nothing is changed", { timeout }, async () => {
    const path = "/api/v1/namespaces/istio-system";
    const hold = (finalizers: readonly string[]): Promise<unknown> =>
      on.cluster.api.send(
        {
          ...{ method: "PATCH", path, contentType: "application/merge-patch+json" },
          body: { metadata: { finalizers } },
        },
        signal,
      );
    await on.cluster.namespace("istio-system");
    await hold(["example.com/hold"]);
    await on.cluster.remove(path);
    const before = await everything();
    for (const words of [["install"], ["install", "--dry-run"]]) {
      const refused = await ctl("0.1.0", ...words, "--set", "profile=minimal");
      assert.equal(refused.code, 2);
      assert.match(
        refused.errors.join("\n"),
        /^Namespace istio-system is being removed since .*: wait until it is gone, and do this again\nnothing was changed$/,
      );
    }
    assert.deepEqual(await everything(), before);
    await hold([]);
    await eventually("the end of the namespace", () => assert.rejects(on.cluster.get(path)), {
      withinMs: 30_000,
    });
    succeeded(await ctl("0.1.0", "install", "--set", "profile=minimal"));
    await purged();
  });

  test("definitions of others stay as they are, and so do their objects", { timeout }, async () => {
    await on.cluster.defineKind("networking.istio.io", "VirtualService", "virtualservices");
    const path =
      "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/virtualservices.networking.istio.io";
    const definition = await on.cluster.get(path);
    const installed = await ctl("0.1.0", "install", "--set", "profile=minimal");
    succeeded(installed);
    assert.ok(
      installed.lines.includes(
        "CustomResourceDefinition virtualservices.networking.istio.io is somebody else's, and stays as it is",
      ),
    );
    assert.deepEqual(at(await on.cluster.get(path), "spec"), at(definition, "spec"));
    // One of ours that holds rules stays, too: they would go with it.
    const rule = {
      apiVersion: "networking.istio.io/v1",
      kind: "DestinationRule",
      metadata: { name: "api", namespace: "default" },
      spec: { host: "api" },
    };
    const rules = "/apis/networking.istio.io/v1/namespaces/default/destinationrules";
    await eventually("a rule", () => on.cluster.put(rules, rule), { withinMs: 30_000 });
    const purge = await ctl("0.1.0", "uninstall", "--purge");
    succeeded(purge);
    assert.match(
      purge.lines.join("\n"),
      /CustomResourceDefinition destinationrules\.networking\.istio\.io stays: it holds DestinationRule default\/api/,
    );
    await on.cluster.get(`${rules}/api`);
    await on.cluster.remove(`${rules}/api`);
    await purged();
    await on.cluster.get(path);
    await on.cluster.remove(path);
  });

  test("what another control plane made, or needs, is not removed", { timeout }, async () => {
    const core = "/api/v1/namespaces/istio-system";
    const create = (path: string, object: object, fieldManager?: string): Promise<unknown> => {
      const query = fieldManager === undefined ? {} : { fieldManager };
      return on.cluster.api.send(
        { method: "POST", path, query, body: { apiVersion: "v1", ...object } },
        signal,
      );
    };
    const secret = {
      ...{ kind: "Secret", metadata: { name: "istio-ca-secret" }, type: "istio.io/ca-root" },
      data: { "ca-key.pem": "a2V5" },
    };
    const root = {
      ...{ kind: "ConfigMap", data: { "root-cert.pem": "root" } },
      metadata: { name: "istio-ca-root-cert", labels: { "istio.io/config": "true" } },
    };
    await on.cluster.namespace("istio-system");
    // As istiod does.
    await create(`${core}/secrets`, secret, "pilot-discovery");
    await create(`${core}/configmaps`, root, "pilot-discovery");
    const before = await everything();
    const nothing = await ctl("0.1.0", "uninstall", "--purge");
    succeeded(nothing);
    assert.deepEqual(nothing.lines, [
      "Secret istio-system/istio-ca-secret stays: pilot-discovery wrote it",
      "the cluster has nothing of outriderctl's",
    ]);
    succeeded(await ctl("0.1.0", "install", "--set", "profile=minimal"));
    await purged();
    assert.deepEqual(await everything(), before);

    // This program's control plane made them, and another that nobody installed so has them now.
    await on.cluster.remove(`${core}/secrets/istio-ca-secret`);
    await on.cluster.remove(`${core}/configmaps/istio-ca-root-cert`);
    await create(`${core}/secrets`, secret);
    await create(`${core}/configmaps`, root);
    await create(`${core}/services`, {
      ...{ kind: "Service", metadata: { name: "istiod" }, spec: { ports: [{ port: 15012 }] } },
    });
    const shared = await everything();
    const kept = await ctl("0.1.0", "uninstall", "--purge");
    succeeded(kept);
    assert.match(kept.lines[0] ?? "", /root and CA stay: Service istio-system\/istiod is of another/);
    assert.deepEqual(await everything(), shared);
    await on.cluster.remove(`${core}/services/istiod`);
    await purged();
    await assert.rejects(on.cluster.get(`${core}/secrets/istio-ca-secret`));
    await assert.rejects(on.cluster.get(`${core}/configmaps/istio-ca-root-cert`));
    await withoutNamespace();
  });

  test("a part of the API that is away holds up nothing that does not need it", { timeout }, async () => {
    const services = "/apis/apiregistration.k8s.io/v1/apiservices";
    succeeded(await ctl("0.1.0", "install", "--set", "profile=minimal"));
    await on.cluster.put(services, {
      apiVersion: "apiregistration.k8s.io/v1",
      kind: "APIService",
      metadata: { name: "v1beta1.metrics.k8s.io" },
      spec: {
        ...{ group: "metrics.k8s.io", version: "v1beta1", groupPriorityMinimum: 100, versionPriority: 100 },
        ...{ insecureSkipTLSVerify: true, service: { name: "metrics-server", namespace: "kube-system" } },
      },
    });
    const path = "/apis/metrics.k8s.io/v1beta1";
    await eventually("an answer that there is none", () => assert.rejects(on.cluster.get(path), /503/), {
      withinMs: 60_000,
    });
    const analyzed = await ctl("0.1.0", "analyze", "--use-kube");
    assert.doesNotMatch(analyzed.errors.join(), /503/);
    const removed = await ctl("0.1.0", "uninstall", "--purge");
    succeeded(removed);
    assert.match(
      removed.lines.join("\n"),
      /Namespace istio-system stays: it holds what metrics\.k8s\.io has, which does not answer/,
    );
    await on.cluster.remove(`${services}/v1beta1.metrics.k8s.io`);
    await eventually("the end of that part", () => assert.rejects(on.cluster.get(path), /404/), {
      withinMs: 60_000,
    });
    await purged();
  });

  test("what a cluster has is analyzed, with files that are to come", { timeout }, async () => {
    succeeded(await ctl("0.1.0", "install", "--set", "profile=minimal"));
    await on.cluster.namespace("demo");
    const rules = "/apis/networking.istio.io/v1/namespaces/demo/virtualservices";
    const ruleTo = (host: string) => ({
      apiVersion: "networking.istio.io/v1",
      kind: "VirtualService",
      metadata: { name: "api", namespace: "demo" },
      spec: { hosts: ["api.example"], http: [{ route: [{ destination: { host } }] }] },
    });
    await eventually("a rule", () => on.cluster.put(rules, ruleTo("nowhere")), { withinMs: 30_000 });
    const service = { apiVersion: "v1", kind: "Service", spec: { ports: [{ name: "http", port: 80 }] } };
    await on.cluster.put("/api/v1/namespaces/demo/services", {
      ...service,
      metadata: { name: "api", namespace: "demo" },
    });
    const live = await ctl("0.1.0", "analyze", "--use-kube", "-n", "demo");
    assert.equal(live.code, 79, live.errors.join());
    assert.match(live.lines.join("\n"), /^Error \[IST0101\] \(VirtualService demo\/api\) .*nowhere/m);
    // The file's rule counts, and the cluster's service is there for it.
    const file = join(on.folder, "next.yaml");
    writeFileSync(file, JSON.stringify(ruleTo("api")));
    const next = await ctl("0.1.0", "analyze", "--use-kube", file, "-n", "demo");
    assert.doesNotMatch(next.lines.join("\n"), /^Error/m);
    await on.cluster.remove(`${rules}/api`);
    await on.cluster.remove("/api/v1/namespaces/demo");
    await purged();
  });

  test("a cluster that is not there, or that refuses, is told", { timeout }, async () => {
    const nowhere = await runCtlOf("0.1.0", ["install", "--kubeconfig", join(on.folder, "nowhere")]);
    assert.equal(nowhere.code, 1);
    assert.match(nowhere.errors.join(), /--kubeconfig .*nowhere cannot be used/);
    const context = await ctl("0.1.0", "install", "--context", "other");
    assert.equal(context.code, 1);
    assert.match(context.errors.join(), /has no context "other": name one of test by --context/);
    const none = await runCtlOf("0.1.0", ["uninstall", "--purge"]);
    assert.equal(none.code, 1);
    assert.match(none.errors.join(), /there is no cluster to ask: name a kubeconfig/);
    const dead = join(on.folder, "dead");
    writeFileSync(
      dead,
      JSON.stringify({
        apiVersion: "v1",
        kind: "Config",
        clusters: [{ name: "a", cluster: { server: "https://127.0.0.1:1" } }],
        users: [{ name: "a", user: {} }],
        contexts: [{ name: "a", context: { cluster: "a", user: "a" } }],
        "current-context": "a",
      }),
    );
    const gone = await runCtlOf("0.1.0", ["install", "--kubeconfig", dead]);
    assert.equal(gone.code, 1);
    assert.match(gone.errors.join(), /https:\/\/127\.0\.0\.1:1 does not answer/);
    await on.cluster.namespace("demo");
    await on.cluster.serviceAccount("demo", "nobody");
    const file = on.cluster.kubeconfig(await on.cluster.token("demo", "nobody"));
    const refused = await runCtlOf("0.1.0", ["install", "--kubeconfig", file]);
    assert.equal(refused.code, 1);
    assert.match(refused.errors.join(), /status 403/);
    await on.cluster.remove("/api/v1/namespaces/demo");
  });
});
