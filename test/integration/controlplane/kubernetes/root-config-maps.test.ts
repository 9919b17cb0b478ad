/** Beside somebody else who writes the same map the root is written ever less often. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { keepRootConfigMaps } from "../../../../src/controlplane/ca/root-config-maps.ts";
import { KubernetesApi } from "../../../../src/controlplane/kubernetes/api.ts";
import { TaskGroup } from "../../../../src/lifecycle/task-group.ts";
import { Watch } from "../../../../src/lifecycle/watch.ts";
import { eventually } from "../../../support/eventually.ts";
import { ScriptedKubernetes } from "../../../support/scripted-kubernetes.ts";
import { testLog } from "../../../support/test-log.ts";

test("a root that somebody else overwrites at once is written again later each time", async () => {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await ScriptedKubernetes.start());
  const api = stack.use(new KubernetesApi(cluster.access));
  const maps = "/api/v1/configmaps";
  let foreign = 0;
  const overwrite = (): void => {
    foreign += 1;
    cluster.put(maps, {
      metadata: { name: "istio-ca-root-cert", namespace: "demo" },
      data: { "root-cert.pem": `foreign ${foreign}` },
    });
  };
  cluster.put("/api/v1/namespaces", { metadata: { name: "demo" } });
  overwrite();
  const writtenAt: number[] = [];
  cluster.fault = (method) => {
    if (method !== "PATCH") return undefined;
    writtenAt.push(performance.now());
    overwrite();
    return { status: 200, body: "{}" };
  };
  const tasks = stack.use(new TaskGroup());
  const root = new Watch("own");
  tasks.spawn("keep", (signal) => keepRootConfigMaps({ api, root, log: testLog().log }, signal));
  await eventually("three writes", () => assert.ok(writtenAt.length >= 3), { withinMs: 30_000 });
  const [first = 0, second = 0, third = 0] = writtenAt;
  // A wait may be longer than it was to be, and is never shorter.
  assert.ok(second - first >= 700 && third - second >= 1_400, `${second - first} ${third - second}`);
});
