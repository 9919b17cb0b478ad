/**
 * What befalls a pod of the image in its life: a change of configuration, memory that holds no second Envoy, a restart while
 * the control plane is gone. The pods are those of docker/kubernetes, and the injected one under Istio's CNI plugin.
 *
 * Run in a network namespace of its own, which is the node, it prints what it saw.
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ReloadReport } from "../../../src/status/contract/reload-report.ts";
import type { ChildExit } from "../../../src/process/child.ts";
import { answerAsProgram } from "../namespaced-program.ts";
import { childrenOf } from "../pid-namespace.ts";
import type { CallReport } from "../pod-application.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { TestCluster } from "./cluster.ts";
import { containerOf, podFor, podOf, withLimits } from "./manifests.ts";
import { callFrom } from "./pod-mesh.ts";
import type { TestPod } from "./pod.ts";

const repository = join(import.meta.dirname, "../../..");
const manifest = (name: string): string => join(repository, "docker/kubernetes", name);

export interface PodLivesReport {
  /** From the pod with the sidecar beside it to that with the native one. */
  readonly call: CallReport;
  /** From the pod whose traffic a CNI plugin has captured; and what its init container said. */
  readonly underCni: { readonly call: CallReport; readonly init: string; readonly exits: Exits };
  /** Of a change of annotations; and a call after it. */
  readonly swap: SwapSeen & { readonly call: CallReport };
  /** The same in a pod whose memory holds no second Envoy. */
  readonly tightSwap: SwapSeen;
  /** The sidecar was killed while there was no control plane. */
  readonly restarted: { readonly call: CallReport; readonly lines: readonly string[] };
  readonly gateway: { readonly exits: Exits; readonly lines: readonly string[] };
  /** Its container ran out of memory, and the kernel took Envoy. */
  readonly outOfMemory: { readonly call: CallReport; readonly lines: readonly string[] };
}

/** What became of a change, and what the sidecar logged of it. */
interface SwapSeen {
  readonly report: ReloadReport;
  readonly lines: readonly string[];
}

type Exits = Readonly<Record<string, ChildExit>>;

const sidecarName = "istio-proxy";

/** As the kubelet writes the downward API's file. */
function changeAnnotations(pod: TestPod, concurrency: number): void {
  const value = JSON.stringify(JSON.stringify({ concurrency }));
  pod.writeVolume("podinfo", "annotations", `proxy.istio.io/config=${value}\n`);
}

/** The change may have been seen by itself: then there is nothing left to do, and the log says how it went. */
async function reload(pod: TestPod): Promise<ReloadReport> {
  const { output } = await pod.container(sidecarName).exec("/usr/local/bin/outrider", "reload");
  const start = output.indexOf("{");
  if (start < 0) throw new Error(output);
  return JSON.parse(output.slice(start)) as ReloadReport;
}

async function swapped(pod: TestPod, concurrency: number): Promise<SwapSeen> {
  const { lines } = pod.container(sidecarName);
  const before = lines.length;
  changeAnnotations(pod, concurrency);
  const report = await reload(pod);
  return { report, lines: lines.slice(before) };
}

/** Istio's CNI plugin calls the same program from the node. */
function captureAsCni(rootfs: string): (network: string) => void {
  return (network) => {
    execFileSync(
      join(rootfs, "opt/outrider/bin/outrider"),
      [
        ...["istio-iptables", "-p", "15001", "-z", "15006", "-u", "1337", "-m", "REDIRECT", "-i", "*"],
        ...["-x", "", "-b", "*", "-d", "15090,15021,15020", "--network-namespace", network, "--redirect-dns"],
      ],
      { stdio: "pipe" },
    );
  };
}

async function live({ rootfs }: { readonly rootfs: string }): Promise<PodLivesReport> {
  using folder = temporaryFolder();
  await using cluster = await TestCluster.start(folder.path, rootfs);
  await using _api = await cluster.pod(podFor(podOf(manifest("native-sidecar.yaml")), "api"), { net: 2 });
  await using web = await cluster.pod(podOf(manifest("sidecar.yaml")), { net: 1 });
  const call = await callFrom(web, "web");
  const swap = { ...(await swapped(web, 1)), call: await callFrom(web, "web") };
  const underCni = await liveUnderCni(cluster);
  const gateway = await liveAsGateway(cluster);
  const tightSwap = await swapInTightMemory(cluster);
  const outOfMemory = await runOutOfMemory(cluster);
  const restarted = await restartWithoutControlPlane(cluster);
  return { call, swap, underCni, gateway, tightSwap, outOfMemory, restarted };
}

async function liveUnderCni(cluster: TestCluster): Promise<PodLivesReport["underCni"]> {
  const injected = podOf(join(repository, "test/support/fixtures/pods/injected-native.yaml"));
  await using pod = await cluster.pod(podFor(injected, "cni"), {
    net: 3,
    onNetwork: captureAsCni(cluster.rootfs),
  });
  await pod.ready();
  const call = await callFrom(pod, "cni");
  return { call, init: pod.initOutput.join("\n"), exits: Object.fromEntries(await pod.stop()) };
}

async function liveAsGateway(cluster: TestCluster): Promise<PodLivesReport["gateway"]> {
  await using pod = await cluster.pod(podOf(manifest("gateway.yaml")), { net: 4 });
  await pod.ready();
  return {
    exits: Object.fromEntries(await pod.stop()),
    lines: pod.container(sidecarName).lines,
  };
}

async function swapInTightMemory(cluster: TestCluster): Promise<SwapSeen> {
  const pod = withLimits(podFor(podOf(manifest("sidecar.yaml")), "tight"), sidecarName, {
    memory: "128Mi",
    cpu: "2",
  });
  await using tight = await cluster.pod(pod, { net: 5 });
  await tight.ready();
  // Awaited here: the pod ends with this function.
  return await swapped(tight, 1);
}

/** Takes memory in steps until the kernel has ended a process for it, be it this one. */
const takesMemory = `
  const { existsSync, readFileSync } = require("node:fs");
  const counts = ["/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"].find(existsSync);
  const killed = () => /^oom_kill ([0-9]+)$/m.exec(readFileSync(counts, "utf8"))[1];
  const before = killed();
  const taken = [];
  while (killed() === before) taken.push(Buffer.alloc(2 ** 20, 1));
`;

/** Of how many containers in a row the kernel may take the agent as well. */
const mostRestarts = 5;

/** Another process of the container takes what there is. Of the two the kernel is to prefer Envoy, as it would a large one. */
async function runOutOfMemory(cluster: TestCluster): Promise<PodLivesReport["outOfMemory"]> {
  const limits = { memory: "256Mi", cpu: "2" };
  const manifested = withLimits(podFor(podOf(manifest("sidecar.yaml")), "scarce"), sidecarName, limits);
  await using pod = await cluster.pod(manifested, { net: 6 });
  for (let restarts = 0; restarts < mostRestarts; restarts += 1) {
    await pod.ready();
    const sidecar = pod.container(sidecarName);
    for (const { pid } of childrenOf(await sidecar.pid()))
      writeFileSync(`/proc/${pid}/oom_score_adj`, "1000");
    await sidecar.exec("/opt/outrider/lib/node", "-e", takesMemory);
    const served = await Promise.race([callFrom(pod, "scarce"), sidecar.exited]);
    if ("http" in served) return { call: served, lines: sidecar.lines };
    // What the first victim had is given back while the kernel looks for another: as a kubelet, start it again.
    await pod.startContainer(containerOf(manifested, sidecarName));
  }
  throw new Error(`the kernel took the agent ${mostRestarts} times in a row`);
}

/** The names of the mesh, too, are those that the sidecar had before. */
async function restartWithoutControlPlane(cluster: TestCluster): Promise<PodLivesReport["restarted"]> {
  const pod = podFor(podOf(manifest("sidecar.yaml")), "again");
  await using again = await cluster.pod(pod, { net: 7 });
  await callFrom(again, "again");
  await cluster.stopControlPlane();
  const killed = again.container(sidecarName);
  killed.kill("SIGKILL");
  await killed.exited;
  const { lines } = await again.startContainer(containerOf(pod, sidecarName));
  return { call: await callFrom(again, "again"), lines };
}

if (import.meta.main) await answerAsProgram(live);
