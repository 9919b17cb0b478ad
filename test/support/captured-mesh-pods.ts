/**
 * Two pods as Kubernetes makes them, each in namespaces of its own: an init container that captures, a sidecar, and an
 * application that knows of neither. web's inbound connections are redirected, its sidecar is uid 1337; api has TPROXY,
 * and a sidecar as Istio's injector then makes it: uid 0, gid 1337, NET_ADMIN and no other capability.
 *
 * For a program in a network namespace of its own, which is the node, and in which the control plane listens.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fetchHttp } from "../../src/net/http-client.ts";
import { type Child, spawnChild } from "../../src/process/child.ts";
import { testEnvoy } from "./envoy.ts";
import { eventually } from "./eventually.ts";
import { startMs } from "./mesh.ts";
import { mainPath, type RunningOutrider, runOutrider, startOutrider } from "./outrider.ts";
import { applicationTls, type CallReport } from "./pod-application.ts";
import { podService } from "./pod-service.ts";
import { TestPki, validity } from "./test-pki.ts";

/** What is bound into pods. */
export const repository = join(mainPath, "../..");
const proxyId = 1_337;
const nameServer = "10.96.0.10";

/** How Envoy is replaced, by how its pod is captured. */
const swapModes = { REDIRECT: "hot", TPROXY: "overlap" } as const;

/** What pods get from their control plane. */
export interface PodControlPlane {
  /** Where pods have their files. */
  readonly folder: string;
  /** Of a service account. */
  readonly token: (name: string) => string | Promise<string>;
  readonly rootPem: string;
  /** Where it listens on the node, with a certificate of istiod.istio-system.svc. */
  readonly port: number;
}

/** Whose rights a program inside has: the init container's, a sidecar's by how its pod is captured, or any user's. */
export type Inside = "init" | "REDIRECT" | "TPROXY" | number;

const rights: Readonly<Record<Exclude<Inside, number>, readonly string[]>> = {
  init: ["--bounding-set=-all,+net_admin,+net_raw"],
  REDIRECT: asUser(proxyId),
  TPROXY: [`--regid=${proxyId}`, "--clear-groups", "--no-new-privs", "--bounding-set=-all,+net_admin"],
};

/** A pod, in which programs can be run. */
export interface Pod {
  readonly name: string;
  readonly address: string;
  readonly root: string;
  readonly mode: "REDIRECT" | "TPROXY";
  /** Words that run a program of the repository inside. */
  inside(as: Inside, ...words: readonly string[]): readonly string[];
}

/** Of web and api; a service's address is one that no machine has, as a cluster IP is. */
export const podServices: readonly object[] = ["web", "api"].map((name, index) =>
  podService(name, { serviceAddress: `10.96.7.${index + 1}`, podAddress: `10.44.${index + 1}.2` }),
);

/** The name of a pod's service. */
export function hostOf(name: string): string {
  return `${name}.demo.svc.cluster.local`;
}

function asUser(id: number): readonly string[] {
  return [`--reuid=${id}`, `--regid=${id}`, "--clear-groups", "--no-new-privs", "--bounding-set=-all"];
}

/** The pause container: namespaces, and the files that a kubelet writes. */
async function startPod(
  controlPlane: PodControlPlane,
  name: string,
  { net, mode, envoy, pki }: { net: number; mode: Pod["mode"]; envoy: string; pki: TestPki },
): Promise<Pod & AsyncDisposable> {
  const root = join(controlPlane.folder, `pod-${name}`);
  const pair = await pki.serverKeyPair([name, hostOf(name)], validity(-60_000, 3_600_000));
  for (const [path, content] of [
    ["var/run/secrets/tokens/istio-token", await controlPlane.token(name)],
    ["var/run/secrets/istio/root-cert.pem", controlPlane.rootPem],
    ["etc/istio/pod/labels", `app="${name}"\n`],
    [
      "resolv.conf",
      `nameserver ${nameServer}\nsearch demo.svc.cluster.local svc.cluster.local\noptions ndots:5\n`,
    ],
    ["hosts", `127.0.0.1 localhost\n10.44.${net}.1 istiod.istio-system.svc\n`],
    [applicationTls.key, pair.privateKeyPem],
    [applicationTls.certificate, pair.certificatePem],
    [applicationTls.root, pki.rootPem],
    ["envoy", ""],
    ["repository/.keep", ""],
  ] as const) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  for (const path of ["", "etc/istio/proxy", "var/run/secrets/workload-spiffe-uds", "var/lib/istio/data"]) {
    mkdirSync(join(root, path), { recursive: true });
    chownSync(join(root, path), proxyId, proxyId);
    // As volumes are with fsGroup.
    chmodSync(join(root, path), 0o2775);
  }
  const script = [
    "set -e",
    `mount --bind '${root}/resolv.conf' /etc/resolv.conf`,
    `mount --bind '${root}/hosts' /etc/hosts`,
    `mount --bind '${repository}' '${root}/repository'`,
    `mount --bind '${envoy}' '${root}/envoy'`,
    // A container has devices of its own, which the node's user settings do not reach.
    `mknod -m 666 '${root}/null' c 1 3`,
    `mount --bind '${root}/null' /dev/null`,
    "ip link set lo up",
    // What overlap is for: see `--swapMode`.
    "echo 1 > /proc/sys/net/ipv4/tcp_migrate_req",
    "echo ready",
    "exec sleep 600",
  ].join("\n");
  const ready = Promise.withResolvers<string>();
  const pause: Child = spawnChild({
    file: "unshare",
    args: ["--net", "--mount", "--propagation=private", "sh", "-c", script],
    stdout: ready.resolve,
    stderr: ready.resolve,
  });
  if ((await ready.promise) !== "ready") throw new Error(await ready.promise);
  const pid = pause.pid ?? 0;
  const [outside, prefix, address] = [`veth${net}`, `10.44.${net}`, `10.44.${net}.2`];
  const enter = [`--net=/proc/${pid}/ns/net`, `--mount=/proc/${pid}/ns/mnt`, "env", `--chdir=${root}`];
  const sh = (...commands: readonly string[]): void => {
    execFileSync("sh", ["-c", ["set -e", ...commands].join("\n")], { stdio: "pipe" });
  };
  sh(
    `ip link add ${outside} type veth peer name eth0 netns ${pid}`,
    `ip addr add ${prefix}.1/24 dev ${outside}`,
    `ip link set ${outside} up`,
    `nsenter ${enter[0]} sh -c 'ip addr add ${address}/24 dev eth0; ip link set eth0 up; ip route add default via ${prefix}.1'`,
  );
  return {
    name,
    address,
    root,
    mode,
    inside: (as, ...words) => {
      const flags = typeof as === "number" ? asUser(as) : rights[as];
      return [
        "nsenter",
        ...enter,
        "setpriv",
        ...flags,
        `${root}/repository/node_modules/.bin/node`,
        ...words,
      ];
    },
    [Symbol.asyncDispose]: async () => {
      pause.kill("SIGKILL");
      await pause.exited;
    },
  };
}

/** Runs a command of traffic capture as the init container does. @throws Error with what it said */
export async function capture(pod: Pod, command: string, ...flags: readonly string[]): Promise<string> {
  const [file = "", ...args] = pod.inside("init", `${pod.root}/repository/src/main.ts`);
  const { exit, output } = await runOutrider({
    program: { file, args },
    args: [command, ...flags],
    withinMs: 2 * startMs,
  });
  if (exit.kind !== "exited" || exit.code !== 0)
    throw new Error(`${command}: ${JSON.stringify(exit)}\n${output}`);
  return output;
}

/** What Istio's injector gives its init container, with DNS. */
function initFlags({ mode }: Pod): readonly string[] {
  return [
    ...["-p", "15001", "-z", "15006", "-u", String(proxyId), "-m", mode, "-i", "*", "-x", "", "-b", "*"],
    ...["-d", "15090,15021,15020", "--redirect-dns", "--run-validation"],
  ];
}

function startSidecar(pod: Pod, discoveryPort: number): ReturnType<typeof startOutrider> {
  const [file = "", ...args] = pod.inside(pod.mode, `${pod.root}/repository/src/main.ts`);
  return startOutrider({
    program: { file, args },
    args: ["proxy", "sidecar", "--domain", "demo.svc.cluster.local", "--swapMode", swapModes[pod.mode]],
    env: {
      ENVOY_PATH: join(pod.root, "envoy"),
      POD_NAME: `${pod.name}-1`,
      POD_NAMESPACE: "demo",
      SERVICE_ACCOUNT: pod.name,
      INSTANCE_IP: pod.address,
      ISTIO_META_INTERCEPTION_MODE: pod.mode,
      ISTIO_META_DNS_CAPTURE: "true",
      PROXY_CONFIG: JSON.stringify({
        discoveryAddress: `istiod.istio-system.svc:${discoveryPort}`,
        concurrency: 1,
        terminationDrainDuration: "1s",
        drainDuration: "1s",
        parentShutdownDuration: "2s",
      }),
    },
  });
}

/** What the kernel holds. */
export function rulesIn(pod: Pod): string {
  const [enter, net = ""] = pod.inside("init");
  const saved = execFileSync(enter ?? "", [net, "sh", "-c", "iptables-save; nft list ruleset"], {
    stdio: "pipe",
  });
  return saved.toString("utf8").replace(/^#.*\n/gm, "");
}

/** web and api, captured, with sidecars that are ready. */
export interface CapturedPods extends AsyncDisposable {
  readonly web: RunningPod;
  readonly api: RunningPod;
  /** What web's init container said. */
  readonly init: string;
  /** The rules of each before. */
  readonly before: string;
}

/** A pod with its sidecar and its application. */
export interface RunningPod extends Pod {
  readonly agent: RunningOutrider;
  /** Calls by every protocol. */
  call(host: string): Promise<CallReport>;
  /** The first calls that all come through. */
  firstCalls(host: string): Promise<CallReport>;
}

/** Resolves once both sidecars are ready. */
export async function startCapturedPods(controlPlane: PodControlPlane): Promise<CapturedPods> {
  const envoy = await testEnvoy();
  execFileSync("sh", ["-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"]);
  // Another user is to get at the pods, and at nothing else.
  chmodSync(controlPlane.folder, 0o711);
  const pki = await TestPki.create();
  await using stack = new AsyncDisposableStack();
  const pods: Pod[] = [];
  for (const [index, [name, mode]] of (
    [
      ["web", "REDIRECT"],
      ["api", "TPROXY"],
    ] as const
  ).entries())
    pods.push(stack.use(await startPod(controlPlane, name, { net: index + 1, mode, envoy, pki })));
  const [web, api] = pods as [Pod, Pod];
  const before = rulesIn(web);
  const [init = ""] = await Promise.all(pods.map((pod) => capture(pod, "iptables", ...initFlags(pod))));
  const running = [web, api].map((pod): RunningPod => {
    const agent = stack.use(startSidecar(pod, controlPlane.port));
    const program = `${pod.root}/repository/test/support/pod-application.ts`;
    const [file = "", ...args] = pod.inside(1_000, program, "serve");
    stack.use(startOutrider({ program: { file, args }, args: [] }));
    const call = async (host: string): Promise<CallReport> => {
      const [node = "", ...words] = pod.inside(1_000, program, "call", host);
      const { output } = await runOutrider({
        program: { file: node, args: words },
        args: [],
        withinMs: 2 * startMs,
      });
      return JSON.parse(output) as CallReport;
    };
    return { ...pod, agent, call, firstCalls: (host) => firstCalls(() => call(host), running) };
  });
  for (const pod of running) {
    await eventually(`${pod.name} ready`, () => expectReady(pod), { withinMs: 2 * startMs }).catch(
      (error: unknown) => {
        throw new Error(pod.agent.lines.slice(-40).join("\n"), { cause: error });
      },
    );
  }
  const owned = stack.move();
  const [runningWeb, runningApi] = running as [RunningPod, RunningPod];
  return {
    ...{ web: runningWeb, api: runningApi, init, before },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function firstCalls(call: () => Promise<CallReport>, pods: readonly RunningPod[]): Promise<CallReport> {
  return eventually(
    "every protocol",
    async () => {
      const report = await call();
      if (!Object.values(report).every((answer: string) => answer.startsWith("application")))
        throw new Error(JSON.stringify(report));
      return report;
    },
    { withinMs: startMs },
  ).catch((error: unknown) => {
    const lines = pods.flatMap(({ name, agent }) => [`${name}:`, ...agent.lines.slice(-25)]);
    throw new Error(lines.join("\n"), { cause: error });
  });
}

async function expectReady({ address }: Pod): Promise<void> {
  const { status } = await fetchHttp({
    target: { host: address, port: 15_021 },
    url: "/healthz/ready",
    timeoutMs: 5_000,
  });
  if (status !== 200) throw new Error(`it answers ${status}`);
}
