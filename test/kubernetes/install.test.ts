/** What outriderctl installs, upgrades and removes in a real API of Kubernetes. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { listObjects } from "../../src/ctl/install/cluster/objects.ts";
import { mappingsOf } from "../../src/controlplane/kubernetes/resource.ts";
import { servedKinds } from "../../src/ctl/install/cluster/foreign-objects.ts";
import { objectName } from "../../src/ctl/install/difference.ts";
import { at, textAt } from "../../src/lifecycle/json-path.ts";
import { severalAtOnce } from "../../src/lifecycle/several-at-once.ts";
import { spawnChild } from "../../src/process/child.ts";
import { eventually } from "../support/eventually.ts";
import { PlayedControllers } from "../support/kubernetes/played-controllers.ts";
import { RealCluster } from "../support/kubernetes/real-cluster.ts";
import { type CtlRun, runCtlOf } from "../support/outriderctl.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const timeout = 600_000;
const outriderctl = join(import.meta.dirname, "../../src/outriderctl.ts");
const deployment = "/apis/apps/v1/namespaces/istio-system/deployments/outrider-discovery";

describe("with a real API of Kubernetes", () => {
  const stack = new AsyncDisposableStack();
  let cluster: RealCluster;
  let controllers: PlayedControllers;
  let folder: string;

  before(
    async () => {
      folder = stack.use(temporaryFolder()).path;
      cluster = stack.use(await RealCluster.start(join(folder, "cluster")));
      controllers = stack.use(new PlayedControllers(cluster));
    },
    { timeout },
  );
  after(() => stack.disposeAsync(), { timeout });

  const signal = new AbortController().signal;
  const ctl = (release: string, ...words: readonly string[]): Promise<CtlRun> =>
    runCtlOf(release, [...words, "--kubeconfig", cluster.kubeconfig()]);

  /** Every object that there is, but for what only says something of others. */
  async function everything(): Promise<readonly string[]> {
    const kinds = (await servedKinds(cluster.api, signal)).filter(
      ({ kind, group }) =>
        !["Event", "APIService", "Lease", "IPAddress"].includes(kind) && !group.startsWith("flowcontrol."),
    );
    const lists = await severalAtOnce(kinds, 8, (row) =>
      // A kind that has just been removed may be told still.
      listObjects(cluster.api, row, {}, signal).catch(() => []),
    );
    return (
      lists
        .flat()
        .map(objectName)
        // The server makes its own when it finds the time.
        .filter((name) => !/ (?:default\/)?kubernetes$/.test(name))
        .toSorted((a, b) => (a < b ? -1 : 1))
    );
  }

  function succeeded({ code, lines, errors }: CtlRun): void {
    assert.equal(code, 0, [...lines, ...errors].join("\n"));
  }

  async function purged(): Promise<void> {
    succeeded(await ctl("0.1.0", "uninstall", "--purge"));
  }

  test(
    "every profile is applied, does nothing the second time, and leaves nothing",
    { timeout },
    async () => {
      const empty = await everything();
      for (const profile of ["demo"]) {
        const asked = await ctl("0.1.0", "install", "--set", `profile=${profile}`, "--dry-run");
        succeeded(asked);
        assert.ok(asked.lines.includes("Deployment istio-system/outrider-discovery would be created"));
        assert.deepEqual(await everything(), empty);

        const first = await ctl("0.1.0", "install", "--set", `profile=${profile}`);
        succeeded(first);
        assert.equal(first.lines[0], "Namespace istio-system created");
        assert.match(
          first.lines.at(-1) ?? "",
          /✔ revision default of outrider is installed and ready: release 0\.1\.0/,
        );
        const installed = await everything();
        assert.ok(installed.length > empty.length + 20);

        const second = await ctl("0.1.0", "install", "--set", `profile=${profile}`);
        succeeded(second);
        assert.match(second.lines.at(-1) ?? "", /objects: \d+ unchanged$/);
        assert.deepEqual(await everything(), installed);

        succeeded(await ctl("0.1.0", "uninstall", "--purge", "--dry-run"));
        assert.deepEqual(await everything(), installed);
        await purged();
        assert.deepEqual(await everything(), empty);
      }
      assert.deepEqual((await ctl("0.1.0", "uninstall", "--purge")).lines, [
        "the cluster has nothing of outriderctl's",
      ]);
    },
  );

  test("an upgrade keeps the settings, and so does the way back", { timeout }, async () => {
    const settings = ["--set", "components.pilot.k8s.replicaCount=3", "--set", "profile=minimal"];
    const none = await ctl("0.1.0", "upgrade");
    assert.equal(none.code, 1);
    assert.match(none.errors.join(), /outriderctl install makes one/);
    succeeded(await ctl("0.1.0", "install", ...settings));
    const state = async (): Promise<readonly unknown[]> => {
      const object = await cluster.get(deployment);
      const container = at(object, "spec", "template", "spec", "containers", "0", "image");
      return [at(object, "spec", "replicas"), container];
    };
    assert.deepEqual(await state(), [3, "outrider:0.1.0"]);
    const up = await ctl("0.2.0", "upgrade", "--set", "meshConfig.accessLogFile=/dev/stdout");
    succeeded(up);
    assert.deepEqual(up.errors, ["upgrade from 0.1.0 to 0.2.0: 1 minor release away"]);
    assert.deepEqual(await state(), [3, "outrider:0.2.0"]);
    const back = await ctl("0.1.0", "upgrade");
    succeeded(back);
    assert.match(back.errors.join(), /^downgrade from 0\.2\.0 to 0\.1\.0/);
    assert.deepEqual(await state(), [3, "outrider:0.1.0"]);
    const mesh = await cluster.get("/api/v1/namespaces/istio-system/configmaps/istio");
    assert.equal(textAt(mesh, "data", "mesh"), "accessLogFile: /dev/stdout\n");
    const far = await ctl("0.4.0", "upgrade");
    assert.equal(far.code, 2);
    assert.deepEqual(await state(), [3, "outrider:0.1.0"]);
    succeeded(await ctl("0.4.0", "upgrade", "--force"));
    assert.deepEqual(await state(), [3, "outrider:0.4.0"]);
    await purged();
  });

  test("what is no longer wanted is removed, and only that", { timeout }, async () => {
    succeeded(await ctl("0.1.0", "install"));
    await cluster.put("/api/v1/namespaces/istio-system/configmaps", {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "mine", namespace: "istio-system" },
    });
    const less = await ctl("0.1.0", "install", "--set", "profile=minimal");
    succeeded(less);
    assert.ok(less.lines.includes("Deployment istio-system/istio-ingressgateway removed"));
    const left = await everything();
    assert.ok(!left.some((name) => name.includes("ingressgateway")), left.join());
    // The namespace holds what is somebody else's.
    const purge = await ctl("0.1.0", "uninstall", "--purge");
    succeeded(purge);
    assert.match(
      purge.lines.join("\n"),
      /Namespace istio-system stays: it holds ConfigMap istio-system\/mine/,
    );
    await cluster.remove("/api/v1/namespaces/istio-system/configmaps/mine");
    await purged();
  });

  test("an installation that is killed half-way is finished by the next one", { timeout }, async () => {
    const empty = await everything();
    for (const lines of [1, 12, 20]) {
      const words = ["install", "--set", "profile=demo", "--kubeconfig", cluster.kubeconfig()];
      let seen = 0;
      const child = spawnChild({
        file: process.execPath,
        args: [outriderctl, ...words],
        stdout: () => {
          seen += 1;
          if (seen === lines) child.kill("SIGKILL");
        },
        stderr: "ignore",
      });
      await child.exited;
      assert.ok(seen >= lines, `${seen} lines`);
      const half = await everything();
      assert.ok(half.length > empty.length);
      succeeded(await ctl("0.1.0", "install", "--set", "profile=demo"));
      await purged();
      assert.deepEqual(await everything(), empty);
    }
  });

  test(
    "a field or an object of somebody else is told, with whose it is, and nothing is changed",
    { timeout },
    async () => {
      succeeded(await ctl("0.1.0", "install", "--set", "profile=minimal"));
      await cluster.api.send(
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
      assert.equal(at(await cluster.get(deployment), "spec", "replicas"), 2);
      await purged();

      await cluster.namespace("istio-system");
      await cluster.put("/api/v1/namespaces/istio-system/services", {
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
      // No controller takes what is in a namespace away with it.
      await cluster.remove("/api/v1/namespaces/istio-system/services/istiod");
      await cluster.remove("/api/v1/namespaces/istio-system");
      await eventually(
        "the end of the namespace",
        () => assert.rejects(cluster.get("/api/v1/namespaces/istio-system")),
        { withinMs: 30_000 },
      );
    },
  );

  test("definitions of others stay as they are, and so do their objects", { timeout }, async () => {
    await cluster.defineKind("networking.istio.io", "VirtualService", "virtualservices");
    const path =
      "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/virtualservices.networking.istio.io";
    const definition = await cluster.get(path);
    const installed = await ctl("0.1.0", "install", "--set", "profile=minimal");
    succeeded(installed);
    assert.ok(
      installed.lines.includes(
        "CustomResourceDefinition virtualservices.networking.istio.io is somebody else's, and stays as it is",
      ),
    );
    assert.deepEqual(at(await cluster.get(path), "spec"), at(definition, "spec"));
    // One of ours that holds rules stays, too: they would go with it.
    const rule = {
      apiVersion: "networking.istio.io/v1",
      kind: "DestinationRule",
      metadata: { name: "api", namespace: "default" },
      spec: { host: "api" },
    };
    const rules = "/apis/networking.istio.io/v1/namespaces/default/destinationrules";
    await eventually("a rule", () => cluster.put(rules, rule), { withinMs: 30_000 });
    const purge = await ctl("0.1.0", "uninstall", "--purge");
    succeeded(purge);
    assert.match(
      purge.lines.join("\n"),
      /CustomResourceDefinition destinationrules\.networking\.istio\.io stays: it holds DestinationRule default\/api/,
    );
    await cluster.get(`${rules}/api`);
    await cluster.remove(`${rules}/api`);
    await purged();
    await cluster.get(path);
    await cluster.remove(path);
  });

  test("what another control plane made, or needs, is not removed", { timeout }, async () => {
    const core = "/api/v1/namespaces/istio-system";
    const create = (path: string, object: object, fieldManager?: string): Promise<unknown> => {
      const query = fieldManager === undefined ? {} : { fieldManager };
      return cluster.api.send({ method: "POST", path, query, body: { apiVersion: "v1", ...object } }, signal);
    };
    const secret = {
      ...{ kind: "Secret", metadata: { name: "istio-ca-secret" }, type: "istio.io/ca-root" },
      data: { "ca-key.pem": "a2V5" },
    };
    const root = {
      ...{ kind: "ConfigMap", data: { "root-cert.pem": "root" } },
      metadata: { name: "istio-ca-root-cert", labels: { "istio.io/config": "true" } },
    };
    await cluster.namespace("istio-system");
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
    await cluster.remove(`${core}/secrets/istio-ca-secret`);
    await cluster.remove(`${core}/configmaps/istio-ca-root-cert`);
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
    await cluster.remove(`${core}/services/istiod`);
    await purged();
    await assert.rejects(cluster.get(`${core}/secrets/istio-ca-secret`));
    await assert.rejects(cluster.get(`${core}/configmaps/istio-ca-root-cert`));
    await cluster.remove("/api/v1/namespaces/istio-system");
    await eventually(
      "the end of the namespace",
      () => assert.rejects(cluster.get("/api/v1/namespaces/istio-system")),
      { withinMs: 30_000 },
    );
  });

  test("a part of the API that is away holds up nothing that does not need it", { timeout }, async () => {
    const services = "/apis/apiregistration.k8s.io/v1/apiservices";
    succeeded(await ctl("0.1.0", "install", "--set", "profile=minimal"));
    await cluster.put(services, {
      apiVersion: "apiregistration.k8s.io/v1",
      kind: "APIService",
      metadata: { name: "v1beta1.metrics.k8s.io" },
      spec: {
        ...{ group: "metrics.k8s.io", version: "v1beta1", groupPriorityMinimum: 100, versionPriority: 100 },
        ...{ insecureSkipTLSVerify: true, service: { name: "metrics-server", namespace: "kube-system" } },
      },
    });
    const path = "/apis/metrics.k8s.io/v1beta1";
    await eventually("an answer that there is none", () => assert.rejects(cluster.get(path), /503/), {
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
    await cluster.remove(`${services}/v1beta1.metrics.k8s.io`);
    await eventually("the end of that part", () => assert.rejects(cluster.get(path), /404/), {
      withinMs: 60_000,
    });
    await purged();
  });

  test("an upgrade of what cannot be read changes nothing", { timeout }, async () => {
    succeeded(await ctl("0.1.0", "install", "--set", "profile=demo"));
    const state = "/api/v1/namespaces/istio-system/configmaps/installed-state";
    const body = { data: { "operator.yaml": "spec: [" } };
    const contentType = "application/merge-patch+json";
    await cluster.api.send({ method: "PATCH", path: state, body, contentType }, signal);
    const before = await everything();
    const refused = await ctl("0.2.0", "upgrade");
    assert.equal(refused.code, 2);
    assert.match(refused.errors.join(), /ConfigMap istio-system\/installed-state has no specification/);
    assert.deepEqual(await everything(), before);
    await purged();
  });

  test("what is not ready in time is told, with what keeps it", { timeout }, async () => {
    controllers.stuck.add("outrider-discovery");
    await cluster.namespace("istio-system");
    await cluster.put("/api/v1/namespaces/istio-system/pods", {
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        name: "outrider-discovery-1",
        namespace: "istio-system",
        labels: { app: "outrider-discovery", "istio.io/rev": "default" },
      },
      spec: { containers: [{ name: "discovery", image: "outrider:0.1.0" }] },
    });
    const waiting = { reason: "ImagePullBackOff", message: 'Back-off pulling image "outrider:0.1.0"' };
    await cluster.putStatus("/api/v1/namespaces/istio-system/pods/outrider-discovery-1", {
      phase: "Pending",
      conditions: [{ type: "Ready", status: "False" }],
      containerStatuses: [
        { name: "discovery", image: "a", imageID: "", ready: false, restartCount: 0, state: { waiting } },
      ],
    });
    const slow = await ctl("0.1.0", "install", "--set", "profile=minimal", "--readiness-timeout", "15s");
    assert.equal(slow.code, 3);
    assert.deepEqual(slow.errors, [
      "not ready after 15 s:",
      "  Deployment istio-system/outrider-discovery: 0 of 2 pods are made",
      '    Pod istio-system/outrider-discovery-1: container discovery: ImagePullBackOff: Back-off pulling image "outrider:0.1.0"',
    ]);
    // With nobody to answer no webhook is there yet.
    const webhooks = await cluster.get(
      "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
    );
    assert.deepEqual(webhooks["items"], []);
    controllers.stuck.clear();
    await cluster.remove("/api/v1/namespaces/istio-system/pods/outrider-discovery-1");
    succeeded(await ctl("0.1.0", "install", "--set", "profile=minimal"));
    await purged();
    await cluster.remove("/api/v1/namespaces/istio-system");
  });

  test("what a cluster has is analyzed, with files that are to come", { timeout }, async () => {
    succeeded(await ctl("0.1.0", "install", "--set", "profile=minimal"));
    await cluster.namespace("demo");
    const rules = "/apis/networking.istio.io/v1/namespaces/demo/virtualservices";
    const ruleTo = (host: string) => ({
      apiVersion: "networking.istio.io/v1",
      kind: "VirtualService",
      metadata: { name: "api", namespace: "demo" },
      spec: { hosts: ["api.example"], http: [{ route: [{ destination: { host } }] }] },
    });
    await eventually("a rule", () => cluster.put(rules, ruleTo("nowhere")), { withinMs: 30_000 });
    const service = { apiVersion: "v1", kind: "Service", spec: { ports: [{ name: "http", port: 80 }] } };
    await cluster.put("/api/v1/namespaces/demo/services", {
      ...service,
      metadata: { name: "api", namespace: "demo" },
    });
    const live = await ctl("0.1.0", "analyze", "--use-kube", "-n", "demo");
    assert.equal(live.code, 79, live.errors.join());
    assert.match(live.lines.join("\n"), /^Error \[IST0101\] \(VirtualService demo\/api\) .*nowhere/m);
    // The file's rule counts, and the cluster's service is there for it.
    const file = join(folder, "next.yaml");
    writeFileSync(file, JSON.stringify(ruleTo("api")));
    const next = await ctl("0.1.0", "analyze", "--use-kube", file, "-n", "demo");
    assert.doesNotMatch(next.lines.join("\n"), /^Error/m);
    await cluster.remove(`${rules}/api`);
    await cluster.remove("/api/v1/namespaces/demo");
    await purged();
  });

  test("a tag lets namespaces move from one revision to another", { timeout }, async () => {
    const webhooks = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
    for (const revision of ["old", "new"]) {
      succeeded(await ctl("0.1.0", "install", "--set", "profile=minimal", "--revision", revision));
      const early = await ctl("0.1.0", "tag", "set", "prod", "--revision", revision);
      assert.equal(early.code, 2);
      assert.match(early.errors.join(), /has not written its root/);
      // As the control plane of the revision does.
      const path = `${webhooks}/outrider-injection-${revision}`;
      const given = await cluster.get(path);
      const caBundle = Buffer.from("-----BEGIN CERTIFICATE-----\n").toString("base64");
      const body = {
        webhooks: mappingsOf(given["webhooks"]).map(({ name }) => ({ name, clientConfig: { caBundle } })),
      };
      await cluster.api.send(
        { method: "PATCH", path, body, contentType: "application/strategic-merge-patch+json" },
        signal,
      );
    }
    await cluster.put("/api/v1/namespaces", {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "demo", labels: { "istio.io/rev": "prod" } },
    });
    const leadsTo = async (): Promise<unknown> => {
      const tag = await cluster.get(`${webhooks}/outrider-tag-prod`);
      return at(tag, "webhooks", "0", "clientConfig", "service", "name");
    };
    assert.equal((await ctl("0.1.0", "tag", "set", "prod", "--revision", "none")).code, 1);
    assert.equal((await ctl("0.1.0", "tag", "set", "new", "--revision", "old")).code, 2);
    succeeded(await ctl("0.1.0", "tag", "set", "prod", "--revision", "old"));
    assert.equal(await leadsTo(), "istiod-old");
    const moved = ["tag", "set", "prod", "--revision", "new"];
    const held = await ctl("0.1.0", ...moved);
    assert.equal(held.code, 2);
    assert.match(held.errors.join(), /prod leads to revision old/);
    succeeded(await ctl("0.1.0", ...moved, "--overwrite"));
    assert.equal(await leadsTo(), "istiod-new");
    const list = await ctl("0.1.0", "tag", "list", "-o", "json");
    assert.deepEqual(JSON.parse(list.lines.join("\n")), {
      tags: [{ tag: "prod", revision: "new", namespaces: ["demo"] }],
    });
    // An installation leaves it alone; what it leads to is not removed under it.
    succeeded(await ctl("0.1.0", "install", "--set", "profile=minimal", "--revision", "new"));
    assert.equal((await ctl("0.1.0", "uninstall", "--revision", "new")).code, 64);
    succeeded(await ctl("0.1.0", "uninstall", "--revision", "old"));
    assert.equal((await ctl("0.1.0", "tag", "remove", "prod")).code, 2);
    succeeded(await ctl("0.1.0", "tag", "remove", "prod", "--force"));
    assert.equal((await ctl("0.1.0", "tag", "remove", "prod")).code, 1);
    await cluster.remove("/api/v1/namespaces/demo");
    await purged();
  });

  test("a cluster that is not there, or that refuses, is told", { timeout }, async () => {
    const nowhere = await runCtlOf("0.1.0", ["install", "--kubeconfig", join(folder, "nowhere")]);
    assert.equal(nowhere.code, 1);
    assert.match(nowhere.errors.join(), /--kubeconfig .*nowhere cannot be used/);
    const context = await ctl("0.1.0", "install", "--context", "other");
    assert.equal(context.code, 1);
    assert.match(context.errors.join(), /has no context "other": name one of test by --context/);
    const none = await runCtlOf("0.1.0", ["uninstall", "--purge"]);
    assert.equal(none.code, 1);
    assert.match(none.errors.join(), /there is no cluster to ask: name a kubeconfig/);
    const dead = join(folder, "dead");
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
    await cluster.namespace("demo");
    await cluster.serviceAccount("demo", "nobody");
    const file = cluster.kubeconfig(await cluster.token("demo", "nobody"));
    const refused = await runCtlOf("0.1.0", ["install", "--kubeconfig", file]);
    assert.equal(refused.code, 1);
    assert.match(refused.errors.join(), /status 403/);
    await cluster.remove("/api/v1/namespaces/demo");
  });
});
