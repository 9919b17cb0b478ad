/** What several may write, and what cannot be written: each object by itself, ever less often. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { keepRootConfigMaps } from "../../../../src/controlplane/ca/root-config-maps.ts";
import { KubernetesApi } from "../../../../src/controlplane/kubernetes/api.ts";
import { WriteMetrics } from "../../../../src/controlplane/kubernetes/object-writer.ts";
import { TaskGroup } from "../../../../src/lifecycle/task-group.ts";
import { Watch } from "../../../../src/lifecycle/watch.ts";
import { Metrics } from "../../../../src/telemetry/metrics.ts";
import { eventually } from "../../../support/eventually.ts";
import { type Fault, ScriptedKubernetes } from "../../../support/scripted-kubernetes.ts";
import { testLog } from "../../../support/test-log.ts";

const maps = "/api/v1/configmaps";
const withinMs = 30_000;

interface Scene extends AsyncDisposable {
  readonly cluster: ScriptedKubernetes;
  readonly root: Watch<string>;
  readonly metrics: Metrics;
  readonly lines: () => string;
  /** Of the cluster's own, with the namespace of each write first. */
  onWrite: (method: string, namespace: string) => ReturnType<Fault>;
}

async function keeping(...namespaces: readonly string[]): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await ScriptedKubernetes.start());
  const api = stack.use(new KubernetesApi(cluster.access));
  for (const name of namespaces) cluster.put("/api/v1/namespaces", { metadata: { name } });
  cluster.fault = (method, { pathname }) =>
    method === "GET" ? undefined : scene.onWrite(method, pathname.split("/")[4] ?? "");
  const { log, lines } = testLog();
  const metrics = new Metrics("pilot_");
  const root = new Watch("own");
  const tasks = stack.use(new TaskGroup());
  const writing = { api, log, metrics: new WriteMetrics(metrics) };
  tasks.spawn("keep", (signal) => keepRootConfigMaps({ ...writing, root }, signal));
  const owned = stack.move();
  const scene: Scene = {
    ...{ cluster, root, metrics },
    lines: () => JSON.stringify(lines),
    onWrite: () => undefined,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
  return scene;
}

describe("what is to be in the cluster as it is wanted", () => {
  test("is written again later each time beside somebody else who writes it at once", async () => {
    await using scene = await keeping("demo");
    let foreign = 0;
    const overwrite = (): void => {
      foreign += 1;
      scene.cluster.put(maps, {
        metadata: { name: "istio-ca-root-cert", namespace: "demo" },
        data: { "root-cert.pem": `foreign ${foreign}` },
      });
    };
    const writtenAt: number[] = [];
    scene.onWrite = () => {
      writtenAt.push(performance.now());
      overwrite();
      return { status: 200, body: "{}" };
    };
    await eventually("four writes", () => assert.ok(writtenAt.length >= 4), { withinMs });
    const [first = 0, second = 0, third = 0] = writtenAt;
    // A wait may be longer than it was to be, and is never shorter.
    assert.ok(second - first >= 700 && third - second >= 1_400, `${second - first} ${third - second}`);
    await eventually("a word on it", () => assert.match(scene.lines(), /somebody else writes it, too/), {
      withinMs,
    });
    // Another root is no matter of that dispute.
    const before = writtenAt.length;
    scene.root.set("another");
    await eventually("the other root", () => assert.ok(writtenAt.length > before), { withinMs });
  });

  test("is in every namespace that takes it while one refuses", async () => {
    await using scene = await keeping("refusing", ...Array.from({ length: 20 }, (_, at) => `n${at}`));
    const written = new Set<string>();
    let refusals = 0;
    scene.onWrite = (_, namespace) => {
      if (namespace === "refusing") {
        refusals += 1;
        return { status: 403, message: "not here" };
      }
      written.add(namespace);
      scene.cluster.put(maps, {
        metadata: { name: "istio-ca-root-cert", namespace },
        data: { "root-cert.pem": "own" },
      });
      return { status: 201, body: "{}" };
    };
    await eventually("all others", () => assert.equal(written.size, 20), { withinMs });
    await eventually("a second try", () => assert.ok(refusals >= 2), { withinMs });
    const [told, ...again] = scene.lines().match(/cannot be written/g) ?? [];
    assert.ok(told !== undefined && again.length === 0, "once");
    assert.match(
      await scene.metrics.render(),
      /pilot_cluster_writes_total\{what="root",outcome="written"\} 20/,
    );
    assert.match(await scene.metrics.render(), /what="root",outcome="failed"\} [2-9]/);
  });
});
