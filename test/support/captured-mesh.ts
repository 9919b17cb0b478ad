/**
 * Two pods as Kubernetes makes them, each in namespaces of its own: an init container that captures, a sidecar, and an
 * application that knows of neither. web's inbound connections are redirected, its sidecar is uid 1337; api has TPROXY,
 * and a sidecar as Istio's injector then makes it: uid 0, gid 1337, NET_ADMIN and no other capability.
 *
 * Run in a network namespace of its own, which is the node: it starts the control plane and the pods, and prints what
 * clients get when they call the other pod by its name.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { Finding } from "../../src/doctor/finding.ts";
import { fetchHttp } from "../../src/net/http-client.ts";
import { type Child, spawnChild } from "../../src/process/child.ts";
import type { ReloadReport } from "../../src/status/contract/reload-report.ts";
import { type CapturedSwaps, type Swappable, swapUnderLoad } from "./captured-swaps.ts";
import { testEnvoy } from "./envoy.ts";
import { eventually } from "./eventually.ts";
import { startMs, TestMesh } from "./mesh.ts";
import { mutualTls } from "./mesh-objects.ts";
import { answerAsProgram } from "./namespaced-program.ts";
import { mainPath, runOutrider, startOutrider } from "./outrider.ts";
import { applicationTls, type CallReport } from "./pod-application.ts";
import { callInPlainText, podService } from "./pod-service.ts";
import { TestPki, validity } from "./test-pki.ts";

/** What was seen. */
export interface MeshReport {
  /** What the init container said, with its proof. */
  readonly init: string;
  /** web calls api. */
  readonly byName: CallReport;
  /** By the name that its own namespace's search domains complete. */
  readonly byShortName: CallReport;
  /** api calls web. */
  readonly back: CallReport;
  /** From the node, which is in no mesh. */
  readonly fromOutside: string;
  /** web's Envoy is replaced, then api's, while web calls api. */
  readonly swaps: CapturedSwaps;
  /** What `outrider doctor` says of capture in web, as root and as the proxy, and as root once nothing is captured. */
  readonly examined: Readonly<Record<"root" | "proxy" | "uncaptured", readonly Finding[]>>;
  /** The kernel's rules in web once cleaned are those from before. */
  readonly isClean: boolean;
}

const repository = join(mainPath, "../..");
const proxyId = 1_337;
const nameServer = "10.96.0.10";

/** How Envoy is replaced, by how its pod is captured. */
const swapModes = { REDIRECT: "hot", TPROXY: "overlap" } as const;

/** Whose rights a program inside has: the init container's, a sidecar's by how its pod is captured, or any user's. */
type Inside = "init" | "REDIRECT" | "TPROXY" | number;

const rights: Readonly<Record<Exclude<Inside, number>, readonly string[]>> = {
  init: ["--bounding-set=-all,+net_admin,+net_raw"],
  REDIRECT: asUser(proxyId),
  TPROXY: [`--regid=${proxyId}`, "--clear-groups", "--no-new-privs", "--bounding-set=-all,+net_admin"],
};

interface Pod {
  readonly name: string;
  readonly address: string;
  readonly root: string;
  readonly mode: "REDIRECT" | "TPROXY";
  /** Words that run a program of the repository inside. */
  inside(as: Inside, ...words: readonly string[]): readonly string[];
}

/** A service whose address is one that no machine has, as a cluster IP is. */
function serviceOf(name: string, net: number): object {
  return podService(name, { serviceAddress: `10.96.7.${net}`, podAddress: `10.44.${net}.2` });
}

function hostOf(name: string): string {
  return `${name}.demo.svc.cluster.local`;
}

function asUser(id: number): readonly string[] {
  return [`--reuid=${id}`, `--regid=${id}`, "--clear-groups", "--no-new-privs", "--bounding-set=-all"];
}

/** The pause container: namespaces, and the files that a kubelet writes. */
async function startPod(
  mesh: TestMesh,
  name: string,
  { net, mode, envoy, pki }: { net: number; mode: Pod["mode"]; envoy: string; pki: TestPki },
): Promise<Pod & AsyncDisposable> {
  const root = join(mesh.folder, `pod-${name}`);
  const pair = await pki.serverKeyPair([name, hostOf(name)], validity(-60_000, 3_600_000));
  for (const [path, content] of [
    ["var/run/secrets/tokens/istio-token", await mesh.token(name)],
    ["var/run/secrets/istio/root-cert.pem", mesh.rootPem],
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

async function capture(pod: Pod, command: string, ...flags: readonly string[]): Promise<string> {
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

function rulesIn(pod: Pod): string {
  const [enter, net = ""] = pod.inside("init");
  const saved = execFileSync(enter ?? "", [net, "sh", "-c", "iptables-save; nft list ruleset"], {
    stdio: "pipe",
  });
  return saved.toString("utf8").replace(/^#.*\n/gm, "");
}

async function live(): Promise<MeshReport> {
  const envoy = await testEnvoy();
  execFileSync("sh", ["-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"]);
  const objects = {
    "services.yaml": [serviceOf("web", 1), serviceOf("api", 2)],
    "mtls.yaml": [mutualTls("STRICT")],
  };
  await using mesh = await TestMesh.start(objects, ["--host", "0.0.0.0"]);
  // Another user is to get at the pods, and at nothing else.
  chmodSync(mesh.folder, 0o711);
  const pki = await TestPki.create();
  await using web = await startPod(mesh, "web", { net: 1, mode: "REDIRECT", envoy, pki });
  await using api = await startPod(mesh, "api", { net: 2, mode: "TPROXY", envoy, pki });
  const before = rulesIn(web);
  const [init] = await Promise.all([web, api].map((pod) => capture(pod, "iptables", ...initFlags(pod))));
  const { tls } = mesh.controlPlanePorts;
  await using webSidecar = startSidecar(web, tls);
  await using apiSidecar = startSidecar(api, tls);
  const program = (pod: Pod): string => `${pod.root}/repository/test/support/pod-application.ts`;
  const application = (pod: Pod): AsyncDisposable => {
    const [file = "", ...args] = pod.inside(1_000, program(pod), "serve");
    return startOutrider({ program: { file, args }, args: [] });
  };
  await using _webApplication = application(web);
  await using _apiApplication = application(api);
  for (const [pod, agent] of [
    [web, webSidecar],
    [api, apiSidecar],
  ] as const) {
    await eventually(`${pod.name} ready`, () => expectReady(pod), { withinMs: 2 * startMs }).catch(
      (error: unknown) => {
        throw new Error(agent.lines.slice(-40).join("\n"), { cause: error });
      },
    );
  }
  const callFrom = async (pod: Pod, host: string): Promise<CallReport> => {
    const [node = "", ...words] = pod.inside(1_000, program(pod), "call", host);
    const { output } = await runOutrider({
      program: { file: node, args: words },
      args: [],
      withinMs: 2 * startMs,
    });
    return JSON.parse(output) as CallReport;
  };
  const everyProtocol = (pod: Pod, host: string): Promise<CallReport> =>
    eventually(
      "every protocol",
      async () => {
        const report = await callFrom(pod, host);
        if (!Object.values(report).every((answer: string) => answer.startsWith("application")))
          throw new Error(JSON.stringify(report));
        return report;
      },
      { withinMs: startMs },
    ).catch((error: unknown) => {
      const lines = [...webSidecar.lines.slice(-25), "api:", ...apiSidecar.lines.slice(-25)];
      throw new Error(lines.join("\n"), { cause: error });
    });
  const byName = await everyProtocol(web, hostOf("api"));
  const byShortName = await callFrom(web, "api");
  const back = await everyProtocol(api, hostOf("web"));
  const fromOutside = await callInPlainText(api.address);
  const swaps = await swapUnderLoad([swappable(web, webSidecar), swappable(api, apiSidecar)], {
    host: hostOf("api"),
    run: (program, ...words) =>
      web.inside(1_000, join(web.root, "repository", relative(repository, program)), ...words),
    withinMs: 2 * startMs,
  });
  const examined = { root: await examine(web, "init"), proxy: await examine(web, "REDIRECT") };
  await capture(web, "clean-iptables");
  await capture(api, "clean-iptables");
  const isClean = [web, api].every((pod) => rulesIn(pod) === before);
  const uncaptured = await examine(web, "init");
  return {
    examined: { ...examined, uncaptured },
    init: init ?? "",
    byName,
    byShortName,
    back,
    fromOutside,
    swaps,
    isClean,
  };
}

function swappable(pod: Pod, agent: Swappable["agent"]): Swappable {
  const [file = "", ...args] = pod.inside(pod.mode, `${pod.root}/repository/src/main.ts`);
  return {
    agent,
    change: async () => {
      // As the kubelet writes the downward API's file.
      writeFileSync(join(pod.root, "etc/istio/pod/labels"), `app="${pod.name}"\nversion="2"\n`);
      const { output } = await runOutrider({
        program: { file, args },
        args: ["reload"],
        env: besideAgent,
        withinMs: 2 * startMs,
      });
      return parsed(output) as ReloadReport;
    },
  };
}

/** Beside the running agent, whose settings it takes. */
async function examine(pod: Pod, as: Inside): Promise<readonly Finding[]> {
  const [file = "", ...args] = pod.inside(as, `${pod.root}/repository/src/main.ts`);
  const { output } = await runOutrider({
    program: { file, args },
    args: ["doctor", "--json"],
    env: { ...besideAgent, ISTIO_META_DNS_CAPTURE: "true" },
    withinMs: 2 * startMs,
  });
  const { findings } = parsed(output) as { findings: readonly Finding[] };
  return findings.filter(({ name }) => name.startsWith("capture"));
}

/** A container's environment says that its agent is where agents are; any that the machine has besides are not meant. */
const besideAgent = { PROXY_CONFIG: "{}" };

/** The JSON in what a command printed. @throws Error with all of it */
function parsed(output: string): unknown {
  const start = output.indexOf("{");
  if (start < 0) throw new Error(`no JSON: ${output}`);
  return JSON.parse(output.slice(start));
}

async function expectReady({ address }: Pod): Promise<void> {
  const { status } = await fetchHttp({
    target: { host: address, port: 15_021 },
    url: "/healthz/ready",
    timeoutMs: 5_000,
  });
  if (status !== 200) throw new Error(`it answers ${status}`);
}

if (import.meta.main) await answerAsProgram(live);
