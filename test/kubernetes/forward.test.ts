/** outriderctl asks pods through the cluster's API, as istioctl does: what it shows is what their Envoys and control planes have. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { TestKubelet } from "../support/kubernetes/kubelet.ts";
import { RealCluster } from "../support/kubernetes/real-cluster.ts";
import { type CtlRun, runCtl } from "../support/outriderctl.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { startWebAndApi, type WebAndApi } from "../support/web-and-api.ts";

const timeout = 600_000;

/** What a user has who may look into pods, as README.md of `src/ctl` says. */
const viewer = {
  ...{ apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", metadata: { name: "viewer" } },
  rules: [
    { apiGroups: [""], resources: ["pods", "services"], verbs: ["get", "list"] },
    { apiGroups: ["apps"], resources: ["deployments"], verbs: ["get"] },
    { apiGroups: [""], resources: ["pods/portforward"], verbs: ["get", "create"] },
  ],
};

describe("outriderctl through the API of a cluster", () => {
  const stack = new AsyncDisposableStack();
  let cluster: RealCluster;
  let kubelet: TestKubelet;
  let mesh: WebAndApi;
  before(
    async () => {
      const folder = stack.use(temporaryFolder()).path;
      cluster = stack.use(await RealCluster.start(join(folder, "cluster")));
      kubelet = stack.use(await TestKubelet.start(cluster));
      mesh = stack.use(await startWebAndApi());
      for (const namespace of ["demo", "istio-system"]) await cluster.namespace(namespace);
      const labels = { app: "web" };
      const ports = { 15000: mesh.web.ports.admin };
      await kubelet.pod({ namespace: "demo", name: "web-0", labels, phase: "Pending", ports });
      await kubelet.pod({ namespace: "demo", name: "web-1", labels, ports });
      await kubelet.pod({ namespace: "demo", name: "api-1", ports: { 15000: mesh.api.ports.admin } });
      const template = { metadata: { labels }, spec: { containers: [{ name: "app", image: "app" }] } };
      await cluster.put("/apis/apps/v1/namespaces/demo/deployments", {
        ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web", namespace: "demo" } },
        spec: { selector: { matchLabels: labels }, template },
      });
      await cluster.serviceAccount("demo", "viewer");
      await cluster.serviceAccount("demo", "nobody");
      const rbac = "/apis/rbac.authorization.k8s.io/v1";
      await cluster.put(`${rbac}/clusterroles`, viewer);
      await cluster.put(`${rbac}/namespaces/demo/rolebindings`, {
        ...{ apiVersion: "rbac.authorization.k8s.io/v1", kind: "RoleBinding" },
        metadata: { name: "viewer", namespace: "demo" },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "viewer" },
        subjects: [{ kind: "ServiceAccount", name: "viewer", namespace: "demo" }],
      });
    },
    { timeout },
  );
  after(() => stack.disposeAsync(), { timeout });

  const ctl = (...words: readonly string[]): Promise<CtlRun> =>
    runCtl(...words, "--kubeconfig", cluster.kubeconfig());
  const succeeded = async (...words: readonly string[]): Promise<readonly string[]> => {
    const { code, lines, errors } = await ctl(...words);
    assert.deepEqual([code, errors], [0, []]);
    return lines;
  };

  test("shows an Envoy's configuration, whichever way its pod is called", { timeout }, async () => {
    const { lines } = await runCtl("proxy-config", "cluster", "web-1.demo");
    assert.ok(
      lines.some((line) => line.startsWith("api.demo.svc.cluster.local")),
      lines.join("\n"),
    );
    for (const words of [
      ["web-1.demo"],
      ["web-1", "-n", "demo"],
      ["pod/web-1.demo"],
      ["deploy/web.demo"],
      ["Deployment/web", "-n", "demo"],
    ])
      assert.deepEqual(await succeeded("pc", "cluster", ...words), lines);
    assert.ok(
      kubelet.forwarded.every((each) => each === "demo/web-1:15000"),
      kubelet.forwarded.join(),
    );
  });

  test("shows every kind of it", { timeout }, async () => {
    for (const kind of ["all", "bootstrap", "endpoint", "listener", "route", "secret", "ecds"]) {
      const words = ["proxy-config", kind, "web-1.demo", "-o", "json"];
      const { lines } = await runCtl(...words);
      // Envoy says the fields of a map in any order.
      assert.deepEqual(
        JSON.parse((await succeeded(...words)).join("\n")),
        JSON.parse(lines.join("\n")),
        kind,
      );
    }
  });

  test("sets the levels of its loggers", { timeout }, async () => {
    const lines = await succeeded("pc", "log", "api-1.demo", "--level", "http:debug");
    assert.ok(lines.includes("  http: debug"), lines.join("\n"));
    const beside = await runCtl("pc", "log", "api-1.demo");
    assert.deepEqual(beside.lines, lines);
    await succeeded("pc", "log", "api-1.demo", "--reset");
  });

  test("says what stands in the way, and what to do", { timeout }, async () => {
    for (const [words, problem] of [
      [["gone.demo"], /has no pod gone in the namespace demo: -n names another one, and deploy\/NAME /],
      [["web-0.demo"], /pod web-0 in the namespace demo has nothing that runs .*: web-0 is Pending\. /],
      [["cronjob/web.demo"], /^cronjob\/web\.demo: "cronjob" is no kind that has pods: name one of pod, /],
      [
        ["web-1.demo", "--proxy-admin-port", "15009"],
        /^port 15009 of the pod web-1\.demo .* connection refused".*Does anybody listen/,
      ],
      [[], /^name a pod of the cluster, POD\.NAMESPACE/],
    ] as const) {
      const { code, lines, errors } = await ctl("pc", "cluster", ...words);
      assert.deepEqual([code, lines], [words.length === 0 ? 64 : 1, []]);
      assert.match(errors.join("\n"), problem);
    }
  });

  test("needs the rights that are documented, and names those that are missing", { timeout }, async () => {
    const as = async (name: string): Promise<CtlRun> => {
      const kubeconfig = cluster.kubeconfig(await cluster.token("demo", name));
      return runCtl("pc", "cluster", "deploy/web.demo", "--kubeconfig", kubeconfig);
    };
    const able = await as("viewer");
    assert.deepEqual([able.code, able.errors], [0, []]);
    const unable = await as("nobody");
    assert.equal(unable.code, 1);
    assert.match(unable.errors.join("\n"), /may not be read: .* Who asks needs get and list of pods there/);
    const rules = viewer.rules.filter(({ resources }) => !resources.includes("pods/portforward"));
    await cluster.put("/apis/rbac.authorization.k8s.io/v1/clusterroles", { ...viewer, rules });
    const { code, errors } = await as("viewer");
    assert.equal(code, 1);
    assert.match(
      errors.join("\n"),
      /^port 15000 of the pod web-1\.demo .*status 403.* get and create of pods\/portforward in the namespace demo$/,
    );
    await cluster.put("/apis/rbac.authorization.k8s.io/v1/clusterroles", viewer);
  });
});
