/** What outriderctl installs, upgrades and removes in a real API of Kubernetes. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { at, textAt } from "../../src/lifecycle/json-path.ts";
import { spawnChild } from "../../src/process/child.ts";
import { installationCluster, succeeded } from "../support/kubernetes/installation-cluster.ts";

const timeout = 600_000;
const outriderctl = join(import.meta.dirname, "../../src/outriderctl.ts");
const deployment = "/apis/apps/v1/namespaces/istio-system/deployments/outrider-discovery";
const { signal } = new AbortController();

describe("an installation in a real API of Kubernetes", () => {
  const on = installationCluster(timeout);
  const { ctl, everything, purged, withoutNamespace } = on;

  test(
    "every profile is applied, does nothing the second time, and leaves nothing",
    { timeout },
    async () => {
      const empty = await everything();
      for (const profile of ["default", "demo", "minimal"]) {
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
      const object = await on.cluster.get(deployment);
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
    const mesh = await on.cluster.get("/api/v1/namespaces/istio-system/configmaps/istio");
    assert.equal(textAt(mesh, "data", "mesh"), "accessLogFile: /dev/stdout\n");
    const far = await ctl("0.4.0", "upgrade");
    assert.equal(far.code, 2);
    assert.deepEqual(await state(), [3, "outrider:0.1.0"]);
    succeeded(await ctl("0.4.0", "upgrade", "--force"));
    assert.deepEqual(await state(), [3, "outrider:0.4.0"]);
    await purged();
  });

  test("an upgrade that fails leaves what was there, and the way back to it", { timeout }, async () => {
    const admission = "/apis/admissionregistration.k8s.io/v1";
    const asked = async (): Promise<readonly unknown[]> => [
      (await on.cluster.get(`${admission}/mutatingwebhookconfigurations`))["items"],
      (await on.cluster.get(`${admission}/validatingwebhookconfigurations`))["items"],
      await on.cluster.get("/api/v1/namespaces/istio-system/configmaps/installed-state"),
    ];
    const pods = async (): Promise<unknown> =>
      at(await on.cluster.get(deployment), "spec", "template", "spec", "containers", "0", "image");
    succeeded(await ctl("0.1.0", "install", "--set", "hub=good.example"));
    const [before, names] = [await asked(), await everything()];
    on.controllers.stuckUpdates.add("outrider-discovery");
    const words = ["--set", "hub=bad.example", "--set", "profile=minimal", "--readiness-timeout", "5s"];
    const failed = await ctl("0.2.0", "upgrade", ...words);
    assert.equal(failed.code, 3);
    assert.match(
      failed.errors.join("\n"),
      /not ready after 5 s:\n {2}Deployment istio-system\/outrider-discovery: 1 of 2 pods are made\n.*\nwhat was there before serves until then, .* outriderctl 0\.1\.0 upgrade/,
    );
    // No pod of before goes before there is a new one, the API asks as it did, and nothing is gone.
    const strategy = at(await on.cluster.get(deployment), "spec", "strategy");
    assert.deepEqual(strategy, {
      type: "RollingUpdate",
      rollingUpdate: { maxUnavailable: 0, maxSurge: 1 },
    });
    assert.deepEqual([await asked(), await everything()], [before, names]);
    assert.equal(await pods(), "bad.example/outrider:0.2.0");
    on.controllers.stuckUpdates.clear();
    succeeded(await ctl("0.1.0", "upgrade"));
    assert.equal(await pods(), "good.example/outrider:0.1.0");
    await purged();
  });

  test("what is no longer wanted is removed, and only that", { timeout }, async () => {
    succeeded(await ctl("0.1.0", "install"));
    await on.cluster.put("/api/v1/namespaces/istio-system/configmaps", {
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
    await on.cluster.remove("/api/v1/namespaces/istio-system/configmaps/mine");
    await purged();
  });

  test("an installation that is killed half-way is finished by the next one", { timeout }, async () => {
    const empty = await everything();
    for (const lines of [1, 12, 20]) {
      const words = ["install", "--set", "profile=demo", "--kubeconfig", on.cluster.kubeconfig()];
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

  test("an upgrade of what cannot be read changes nothing", { timeout }, async () => {
    succeeded(await ctl("0.1.0", "install", "--set", "profile=demo"));
    const state = "/api/v1/namespaces/istio-system/configmaps/installed-state";
    const body = { data: { "operator.yaml": "spec: [" } };
    const contentType = "application/merge-patch+json";
    await on.cluster.api.send({ method: "PATCH", path: state, body, contentType }, signal);
    const before = await everything();
    const refused = await ctl("0.2.0", "upgrade");
    assert.equal(refused.code, 2);
    assert.match(refused.errors.join(), /ConfigMap istio-system\/installed-state has no specification/);
    assert.deepEqual(await everything(), before);
    await purged();
  });

  test("what is not ready in time is told, with what keeps it", { timeout }, async () => {
    on.controllers.stuck.add("outrider-discovery");
    await on.cluster.namespace("istio-system");
    await on.cluster.put("/api/v1/namespaces/istio-system/pods", {
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
    await on.cluster.putStatus("/api/v1/namespaces/istio-system/pods/outrider-discovery-1", {
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
    const webhooks = await on.cluster.get(
      "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
    );
    assert.deepEqual(webhooks["items"], []);
    on.controllers.stuck.clear();
    await on.cluster.remove("/api/v1/namespaces/istio-system/pods/outrider-discovery-1");
    succeeded(await ctl("0.1.0", "install", "--set", "profile=minimal"));
    await purged();
    await withoutNamespace();
  });
});
