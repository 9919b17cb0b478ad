/** Tags of a real API of Kubernetes: names by which namespaces ask for a revision. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { keepCaBundle, tagConfigurations } from "../../src/controlplane/admission/ca-bundle.ts";
import { KubernetesApi } from "../../src/controlplane/kubernetes/api.ts";
import { kubeconfigAccess } from "../../src/controlplane/kubernetes/kubeconfig.ts";
import { WriteMetrics } from "../../src/controlplane/kubernetes/object-writer.ts";
import { mappingsOf } from "../../src/controlplane/kubernetes/resource.ts";
import { at, listAt, textAt } from "../../src/lifecycle/json-path.ts";
import { Watch } from "../../src/lifecycle/watch.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { eventually } from "../support/eventually.ts";
import { installationCluster, succeeded } from "../support/kubernetes/installation-cluster.ts";
import { testLog } from "../support/test-log.ts";

const timeout = 600_000;
const webhooks = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
const { signal } = new AbortController();

describe("a tag of a real API of Kubernetes", () => {
  const on = installationCluster(timeout);
  const { ctl, purged } = on;

  /** As the control plane of the revision does. */
  const writeRoot = async (revision: string): Promise<void> => {
    const path = `${webhooks}/outrider-injection-${revision}`;
    const given = await on.cluster.get(path);
    const caBundle = Buffer.from("-----BEGIN CERTIFICATE-----\n").toString("base64");
    const body = {
      webhooks: mappingsOf(given["webhooks"]).map(({ name }) => ({ name, clientConfig: { caBundle } })),
    };
    await on.cluster.api.send(
      { method: "PATCH", path, body, contentType: "application/strategic-merge-patch+json" },
      signal,
    );
  };

  test("a tag lets namespaces move from one revision to another", { timeout }, async () => {
    for (const revision of ["old", "new"]) {
      succeeded(await ctl("0.1.0", "install", "--set", "profile=minimal", "--revision", revision));
      const early = await ctl("0.1.0", "tag", "set", "prod", "--revision", revision);
      assert.equal(early.code, 2);
      assert.match(early.errors.join(), /has not written its root/);
      await writeRoot(revision);
    }
    await on.cluster.put("/api/v1/namespaces", {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "demo", labels: { "istio.io/rev": "prod" } },
    });
    const leadsTo = async (): Promise<unknown> => {
      const tag = await on.cluster.get(`${webhooks}/outrider-tag-prod`);
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
    await on.cluster.remove("/api/v1/namespaces/demo");
    await purged();
  });

  test("has the root of its control plane, whatever that is by then", { timeout }, async () => {
    succeeded(await ctl("0.1.0", "install", "--set", "profile=minimal", "--revision", "blue"));
    await writeRoot("blue");
    succeeded(await ctl("0.1.0", "tag", "set", "prod", "--revision", "blue"));
    await using stack = new AsyncDisposableStack();
    const account = await on.cluster.token("istio-system", "outrider-discovery-blue");
    const access = await kubeconfigAccess({ file: on.cluster.kubeconfig(account) });
    const api = stack.use(new KubernetesApi(access));
    const root = new Watch("first root\n");
    const stop = new AbortController();
    const { log, lines } = testLog();
    const kept = keepCaBundle(
      {
        ...{ api, root, log, metrics: new WriteMetrics(new Metrics("outrider_")) },
        configurations: [tagConfigurations("blue")],
      },
      stop.signal,
    );
    stack.defer(async () => {
      stop.abort();
      await kept;
    });
    for (const text of ["first root\n", "renewed root\n"]) {
      root.set(text);
      const wanted = Buffer.from(text).toString("base64");
      await eventually(
        "the root in the tag",
        async () => {
          const tag = await on.cluster.get(`${webhooks}/outrider-tag-prod`);
          const bundles = listAt(tag, "webhooks").map((each) => textAt(each, "clientConfig", "caBundle"));
          assert.deepEqual([...new Set(bundles)], [wanted], lines.join("\n"));
        },
        { withinMs: 60_000 },
      );
    }
    // Set again it has what the control plane has written into its own webhook.
    succeeded(await ctl("0.1.0", "tag", "set", "prod", "--revision", "blue"));
    succeeded(await ctl("0.1.0", "tag", "remove", "prod"));
    await assert.rejects(on.cluster.get("/apis/rbac.authorization.k8s.io/v1/clusterroles/outrider-tag-prod"));
    await purged();
  });

  test("is the default one where no revision is", { timeout }, async () => {
    succeeded(await ctl("0.1.0", "install", "--set", "profile=minimal", "--revision", "blue"));
    await writeRoot("blue");
    await on.cluster.put("/api/v1/namespaces", {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "demo", labels: { "istio-injection": "enabled" } },
    });
    succeeded(await ctl("0.1.0", "tag", "set", "default", "--revision", "blue"));
    const list = await ctl("0.1.0", "tag", "list", "-o", "json");
    assert.deepEqual(JSON.parse(list.lines.join("\n")), {
      tags: [{ tag: "default", revision: "blue", namespaces: ["demo"] }],
    });
    const both = await ctl("0.1.0", "install", "--set", "profile=minimal");
    assert.equal(both.code, 2);
    assert.match(both.errors.join("\n"), /^the tag default leads to revision blue, .*\nnothing was changed$/);
    succeeded(await ctl("0.1.0", "tag", "remove", "default", "--force"));
    succeeded(await ctl("0.1.0", "install", "--set", "profile=minimal"));
    const refused = await ctl("0.1.0", "tag", "set", "default", "--revision", "blue");
    assert.equal(refused.code, 2);
    assert.match(refused.errors.join(), /outriderctl uninstall --revision default/);
    await on.cluster.remove("/api/v1/namespaces/demo");
    await purged();
  });
});
