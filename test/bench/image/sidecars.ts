/**
 * What a sidecar of the image takes: from the container's start until it is ready, and at rest. The sidecars are those of the
 * injected pod, without its application.
 *
 * Run in a network namespace of its own, which is the node, it prints what it measured.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sleep } from "../../../src/lifecycle/sleep.ts";
import { fetchHttp } from "../../../src/net/http-client.ts";
import { eventually } from "../../support/eventually.ts";
import { memoryOf } from "../procfs.ts";
import { answerAsProgram } from "../../support/namespaced-program.ts";
import { childrenOf } from "../../support/pid-namespace.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { TestCluster } from "../../support/image/cluster.ts";
import type { Container } from "../../support/image/container.ts";
import { containerOf, podFor, podOf, withLimits } from "../../support/image/manifests.ts";
import type { PodSpec } from "../../support/image/pod-spec.ts";
import type { TestPod } from "../../support/image/pod.ts";

export interface FigureOptions {
  readonly rootfs: string;
  /** Starts under each limit. */
  readonly runs: number;
  /** Sidecars side by side. */
  readonly sidecars: number;
  /** Before memory is read, in milliseconds. */
  readonly restMs: number;
}

/** Of one start, in milliseconds: from before the runtime is called, and on a processor, Envoy included. */
export interface StartFigures {
  readonly readyMs: number;
  readonly cpuMs: number;
}

/** In MiB. The working set is what the kubelet counts: the cgroup's use without the file cache that goes first. */
export interface RestFigures {
  readonly workingSet: number;
  readonly agent: Readonly<Record<"pss" | "anonymous", number>>;
  readonly envoy: Readonly<Record<"pss" | "anonymous", number>>;
}

export interface PodFigures {
  /** With two processors and 1 GiB, and with what small pods are given. */
  readonly starts: Readonly<Record<"usual" | "scarce", readonly StartFigures[]>>;
  /** Of one alone, and of each of those side by side. */
  readonly alone: RestFigures;
  readonly together: readonly RestFigures[];
}

const sidecarName = "istio-proxy";
const limits = { usual: { cpu: "2", memory: "1Gi" }, scarce: { cpu: "100m", memory: "128Mi" } } as const;

function sidecarAlone(name: string, limit: keyof typeof limits): PodSpec {
  const injected = podFor(
    podOf(join(import.meta.dirname, "../../support/fixtures/pods/injected.yaml")),
    name,
  );
  // Neither hook nor probe: what they run would count.
  const { lifecycle: _, ...container } = containerOf(injected, sidecarName);
  const { initContainers: __, ...spec } = injected.spec;
  return withLimits({ ...injected, spec: { ...spec, containers: [container] } }, sidecarName, limits[limit]);
}

/** With a tenth of a processor, on a machine with other work. */
const readyWithin = { withinMs: 180_000, everyMs: 10 } as const;

async function started(pod: TestPod): Promise<StartFigures> {
  const container = pod.container(sidecarName);
  const target = { host: pod.address, port: 15_021 };
  await eventually(
    `${container.id} is ready`,
    async () => {
      const { status } = await fetchHttp({ target, url: "/healthz/ready", timeoutMs: 10_000 });
      if (status !== 200) throw new Error(`it answers ${status}:\n${container.lines.join("\n")}`);
    },
    readyWithin,
  );
  return { readyMs: performance.now() - container.startedAt, cpuMs: cpuOf(container) };
}

function cpuOf(container: Container): number {
  const nanoseconds = container.cgroupFile("cpuacct", "cpuacct.usage");
  if (nanoseconds !== undefined) return Number(nanoseconds) / 1e6;
  return Number(/usage_usec (\d+)/.exec(container.cgroupFile("cpu", "cpu.stat") ?? "")?.[1]) / 1e3;
}

async function atRest(container: Container): Promise<RestFigures> {
  const pid = await container.pid();
  const envoy = childrenOf(pid).find(
    (child) => readFileSync(`/proc/${child.pid}/comm`, "utf8") === "envoy\n",
  );
  if (envoy === undefined) throw new Error("there is no Envoy");
  return { workingSet: workingSetOf(container), agent: memoryOf(pid), envoy: memoryOf(envoy.pid) };
}

function workingSetOf(container: Container): number {
  const file = (name: string): string | undefined => container.cgroupFile("memory", name);
  const used = Number(file("memory.usage_in_bytes") ?? file("memory.current"));
  const inactive = /^(?:total_)?inactive_file (\d+)$/gm;
  // Version 1 has both; the total is of the whole of the cgroup.
  const [, bytes] = [...(file("memory.stat") ?? "").matchAll(inactive)].at(-1) ?? [];
  return (used - Number(bytes)) / 2 ** 20;
}

async function measure(options: FigureOptions): Promise<PodFigures> {
  using folder = temporaryFolder();
  await using cluster = await TestCluster.start(folder.path, options.rootfs);
  const start = (name: string, net: number, limit: keyof typeof limits): Promise<TestPod> =>
    cluster.pod(sidecarAlone(name, limit), { net });
  const startsUnder = async (limit: keyof typeof limits): Promise<StartFigures[]> => {
    const figures: StartFigures[] = [];
    // The first one brings the files into memory.
    for (let run = 0; run <= options.runs; run += 1) {
      await using pod = await start(`${limit}${run}`, 20 + run, limit);
      const figure = await started(pod);
      if (run > 0) figures.push(figure);
    }
    return figures;
  };
  const starts = { usual: await startsUnder("usual"), scarce: await startsUnder("scarce") };

  await using stack = new AsyncDisposableStack();
  const containers: Container[] = [];
  const add = async (): Promise<void> => {
    const index = containers.length;
    const pod = stack.use(await start(`web${index}`, 40 + index, "usual"));
    await started(pod);
    containers.push(pod.container(sidecarName));
  };
  await add();
  await sleep(options.restMs);
  const [first] = containers;
  if (first === undefined) throw new Error("there is no sidecar");
  const alone = await atRest(first);
  while (containers.length < options.sidecars) await add();
  await sleep(options.restMs);
  return { starts, alone, together: await Promise.all(containers.map(atRest)) };
}

if (import.meta.main) await answerAsProgram(measure);
