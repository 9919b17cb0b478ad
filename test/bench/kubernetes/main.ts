/**
 * `npm run bench:kubernetes`: how long a change in a large cluster takes until an Envoy acts on it, while its pods change.
 *
 *     node test/bench/kubernetes/main.ts [--services=1000] [--pods=5] [--rate=200] [--seconds=60]
 *
 * A real API of Kubernetes (KUBE_APISERVER_PATH) over a real etcd has the services, each with so many pods; `--rate` pods a second turn
 * from ready to not and back, each in its status and its slice. Meanwhile the only endpoint of one more service moves between two
 * applications, and calls through a real Envoy show when that one answers, from the answer of the API on: how long that takes itself is told,
 * too. The control
 * plane is the release's; what the kernel says of it is looked at each second.
 */
import { loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { sleep } from "../../../src/lifecycle/sleep.ts";
import { clusterService, clusterSlice } from "../../support/cluster-objects.ts";
import { startLocalApp } from "./local-app.ts";
import { freePorts } from "../../support/free-ports.ts";
import { applyControlPlaneRole } from "../../support/kubernetes/control-plane-role.ts";
import { followedCluster } from "../../support/kubernetes/followed-cluster.ts";
import { RealCluster } from "../../support/kubernetes/real-cluster.ts";
import { get, TestMesh } from "../../support/mesh.ts";
import { egress } from "../../support/mesh-objects.ts";
import { ownAddress } from "../../support/own-address.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { type Figure, jsonLine, table } from "../figure.ts";
import { cpuMsOf, memoryOf } from "../procfs.ts";
import { FilledCluster } from "./filled-cluster.ts";

const { values: flags } = parseArgs({
  options: {
    services: { type: "string", default: "1000" },
    pods: { type: "string", default: "5" },
    rate: { type: "string", default: "200" },
    seconds: { type: "string", default: "60" },
  },
});
const [services, podsPerService, rate, seconds] = [flags.services, flags.pods, flags.rate, flags.seconds].map(
  Number,
) as [number, number, number, number];

const release = { file: join(import.meta.dirname, "../../../dist/bin/outrider"), args: [] };
const host = "marker.demo.svc.cluster.local";
const slices = "/apis/discovery.k8s.io/v1/namespaces/demo/endpointslices";

await using stack = new AsyncDisposableStack();
const folder = stack.use(temporaryFolder()).path;
const cluster = stack.use(await RealCluster.start(join(folder, "cluster")));
const account = await applyControlPlaneRole(cluster);
await cluster.namespace("demo");
await cluster.serviceAccount("demo", "web");
const filledFrom = performance.now();
const filled = await FilledCluster.fill(cluster, { services, podsPerService, namespaces: 10 });
console.error(`filled in ${((performance.now() - filledFrom) / 1_000).toFixed(0)} s`);

const address = ownAddress();
const apps = [await startLocalApp("a", address), await startLocalApp("b", address)];
for (const app of apps) stack.use(app);
const point = (to: number): Promise<unknown> =>
  cluster.put(slices, clusterSlice("marker", { http: apps[to]?.port ?? 0 }, [`none=${address}`]));
const ip = { clusterIP: undefined, clusterIPs: undefined };
await cluster.put("/api/v1/namespaces/demo/services", clusterService("marker", { http: 80 }, ip));
await point(0);
const [outbound = 0] = await freePorts(1);
// The sidecar is told of every service.
const everything = JSON.parse(JSON.stringify(egress("web", outbound)).replace('"./*"', '"*/*"')) as object;
const startedAt = performance.now();
const mesh = stack.use(
  await TestMesh.start({ "web.yaml": [everything] }, await followedCluster(cluster, account), release),
);
const readyMs = performance.now() - startedAt;
const web = await mesh.sidecar("web", { token: await cluster.token("demo", "web", "istio-ca") });
await web.ready();

/** How long the API took for each change of the endpoint, in milliseconds. */
const answeredMs: number[] = [];

/** From the API's answer until this one is called, in milliseconds. */
async function until(to: number): Promise<number> {
  const askedAt = performance.now();
  await point(to);
  const from = performance.now();
  answeredMs.push(from - askedAt);
  const wanted = to === 0 ? "a" : "b";
  for (;;) {
    const { status, body } = await get(outbound, "/", { host });
    if (status === 200 && body.toString("utf8") === wanted) return performance.now() - from;
    await sleep(5);
  }
}

await until(0);
const atRest: number[] = [];
for (let turn = 1; turn <= 10; turn += 1) atRest.push(await until(turn % 2));

const { pid } = mesh.controlPlane;
const memory: number[] = [memoryOf(pid).rss];
const cpuBefore = cpuMsOf(pid);
const stop = new AbortController();
let made = 0;
const changesFrom = performance.now();
const changing = Array.from({ length: 16 }, async () => {
  while (!stop.signal.aborted) {
    const dueMs = (made / rate) * 1_000 - (performance.now() - changesFrom);
    made += 1;
    if (dueMs > 0) await sleep(dueMs, stop.signal);
    if (!stop.signal.aborted) await filled.change();
  }
});
const looking = (async () => {
  while (!stop.signal.aborted) {
    await sleep(1_000, stop.signal);
    memory.push(memoryOf(pid).rss);
  }
})();
const underLoad: number[] = [];
for (let turn = 1; performance.now() - changesFrom < seconds * 1_000; turn += 1) {
  underLoad.push(await until(turn % 2));
  await sleep(100);
}
stop.abort();
await Promise.all([...changing, looking]);
const tookMs = performance.now() - changesFrom;

const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ??
  Number.NaN;
const figure = (name: string, unit: Figure["unit"], values: readonly number[], aim?: number): Figure => ({
  ...{ name, unit, values, subject: "release" },
  ...(aim === undefined ? {} : { aim }),
});
const figures: readonly Figure[] = [
  figure("start → ready", "ms", [readyMs]),
  figure("change → Envoy, nothing else changes", "ms", atRest),
  figure("change → Envoy, pods change", "ms", underLoad),
  figure("… 99 of 100", "ms", [percentile(underLoad, 0.99)], 1_100),
  figure("the API's own answer meanwhile", "ms", answeredMs.slice(-underLoad.length)),
  figure("pod changes", "/s", [(made / tookMs) * 1_000], rate),
  figure("processor time of the control plane", "%", [((cpuMsOf(pid) - cpuBefore) / tookMs) * 100]),
  figure("RSS before", "MiB", memory.slice(0, 1)),
  figure("RSS, first 10 s", "MiB", memory.slice(1, 11)),
  figure("RSS, last 10 s", "MiB", memory.slice(-10)),
];
console.log(
  `${services} services, ${services * podsPerService} pods, ${underLoad.length} changes watched; load ${loadavg()[0]?.toFixed(1) ?? ""}\n`,
);
console.log(table(figures));
for (const each of figures) console.log(jsonLine(each));
