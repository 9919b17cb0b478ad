/**
 * The sidecar container as Istio's injector writes it: arguments, environment and volumes, on the default ports.
 *
 * Run in a network namespace of its own, it starts the control plane and the container, and prints what it saw.
 */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HttpServer } from "../../src/net/http-server.ts";
import type { ChildExit } from "../../src/process/child.ts";
import { testEnvoy } from "./envoy.ts";
import { eventually } from "./eventually.ts";
import { get, startMs, TestMesh } from "./mesh.ts";
import { mainPath, runOutrider, startOutrider } from "./outrider.ts";
import { answerAsProgram } from "./namespaced-program.ts";

/** Of one life of the container. */
export interface PodReport {
  readonly readiness: number;
  /** The application's answer to the kubelet's probe, which goes to the agent. */
  readonly probe: string;
  /** Envoy's own metrics on 15090. */
  readonly hasEnvoyMetrics: boolean;
  readonly agentUid: number;
  readonly envoyUid: number;
  /** Options of the file system that the agent works on. */
  readonly rootIsReadOnly: boolean;
  readonly listeners: readonly string[];
  readonly nodeId: string;
  readonly drainCode: number;
  readonly exit: ChildExit;
  readonly envoyIsGone: boolean;
  readonly lines: readonly string[];
}

const proxy = { uid: 1337, gid: 1337 } as const;

/**
 * Volumes of the injected template that the proxy writes to: emptyDirs, which are root's, with the pod's fsGroup, and
 * which everybody may write.
 */
const emptyDirs = ["etc/istio/proxy", "var/run/secrets/workload-spiffe-uds", "var/lib/istio/data"];

const args = [
  ...["proxy", "sidecar", "--domain", "demo.svc.cluster.local"],
  ...["--proxyLogLevel=warning", "--proxyComponentLogLevel=misc:error", "--log_output_level=default:info"],
];

function environment(discovery: string): Readonly<Record<string, string>> {
  return {
    PILOT_CERT_PROVIDER: "istiod",
    CA_ADDR: discovery,
    POD_NAME: "web-1",
    POD_NAMESPACE: "demo",
    INSTANCE_IP: "127.0.0.1",
    SERVICE_ACCOUNT: "web",
    HOST_IP: "127.0.0.1",
    ISTIO_CPU_LIMIT: "1",
    PROXY_CONFIG: JSON.stringify({ discoveryAddress: discovery }),
    ISTIO_META_POD_PORTS: '[{"containerPort":8080,"protocol":"TCP"}]',
    ISTIO_META_APP_CONTAINERS: "web",
    GOMEMLIMIT: "1073741824",
    ISTIO_META_CLUSTER_ID: "Kubernetes",
    ISTIO_META_NODE_NAME: "node-1",
    ISTIO_META_INTERCEPTION_MODE: "REDIRECT",
    ISTIO_META_WORKLOAD_NAME: "web",
    ISTIO_META_OWNER: "kubernetes://apis/apps/v1/namespaces/demo/deployments/web",
    ISTIO_META_MESH_ID: "cluster.local",
    TRUST_DOMAIN: "cluster.local",
    ISTIO_KUBE_APP_PROBERS: '{"/app-health/web/readyz":{"httpGet":{"path":"/","port":8080}}}',
    ISTIO_PROMETHEUS_ANNOTATIONS: '{"scrape":"true"}',
  };
}

/** A mount namespace in which everything is read-only but the emptyDirs, and nothing but the proxy's user is left. */
function launcher(root: string): readonly string[] {
  const mounts = emptyDirs.map(
    (path) => `mount -t tmpfs -o mode=2777,uid=0,gid=${proxy.gid} tmpfs '${join(root, path)}'`,
  );
  const script = [
    "set -e",
    `mount --bind '${join(mainPath, "../..")}' '${root}/repository'`,
    `mount --bind "$ENVOY" '${root}/envoy'`,
    "mount -o remount,bind,ro /",
    ...mounts,
    "shift",
    `exec setpriv --reuid=${proxy.uid} --regid=${proxy.gid} --clear-groups --no-new-privs --bounding-set=-all \\`,
    `  '${root}/repository/node_modules/.bin/node' '${root}/repository/src/main.ts' "$@"`,
  ].join("\n");
  return ["unshare", "--mount", "--propagation=private", "sh", "-c", script, "sh"];
}

async function live(): Promise<PodReport> {
  await using mesh = await TestMesh.start({});
  await using _app = await HttpServer.listen({ host: "127.0.0.1", port: 8_080 }, (_, response) => {
    response.end("application");
  });
  const root = join(mesh.folder, "pod");
  // Another user is to get at the pod, and at nothing else.
  chmodSync(mesh.folder, 0o711);
  for (const path of [
    ...emptyDirs,
    "repository",
    "var/run/secrets/tokens",
    "var/run/secrets/istio",
    "etc/istio/pod",
  ]) {
    mkdirSync(join(root, path), { recursive: true });
  }
  for (const [path, content] of [
    ["var/run/secrets/tokens/istio-token", await mesh.token("web")],
    ["var/run/secrets/istio/root-cert.pem", mesh.rootPem],
    ["etc/istio/pod/labels", 'app="web"\npod-template-hash="abc"\n'],
    ["etc/istio/pod/annotations", 'prometheus.io/scrape="true"\n'],
    ["envoy", ""],
  ] as const) {
    writeFileSync(join(root, path), content);
  }
  const [file = "", ...words] = launcher(root);
  await using agent = startOutrider({
    program: { file, args: [...words, "outrider"] },
    args,
    cwd: root,
    env: {
      ...environment(`localhost:${mesh.controlPlanePorts.tls}`),
      ENVOY: await testEnvoy(),
      ENVOY_PATH: join(root, "envoy"),
    },
  });
  const readiness = await eventually(
    "readiness",
    async () => {
      const { status } = await get(15_021, "/healthz/ready");
      if (status !== 200) throw new Error(`it answers ${status}`);
      return status;
    },
    { withinMs: startMs },
  ).catch((error: unknown) => {
    throw new Error(agent.lines.join("\n"), { cause: error });
  });
  const probe = (await get(15_020, "/app-health/web/readyz")).body.toString("utf8");
  const metrics = (await get(15_090, "/stats/prometheus")).body.toString("utf8");
  const info = JSON.parse((await get(15_000, "/server_info")).body.toString("utf8")) as {
    node: { id: string };
  };
  const listeners = (await get(15_000, "/listeners")).body.toString("utf8");
  const report = JSON.parse((await get(15_020, "/debug/status")).body.toString("utf8")) as {
    envoy: { pid: number };
  };
  const seen = {
    ...{ readiness, probe },
    hasEnvoyMetrics: metrics.includes("envoy_server_uptime") || metrics.includes("envoy_cluster_manager"),
    agentUid: uidOf(agent.pid),
    envoyUid: uidOf(report.envoy.pid),
    rootIsReadOnly: / \/ \/ ro[, ]/.test(readFileSync(`/proc/${agent.pid}/mountinfo`, "utf8")),
    listeners: listeners.split("\n").filter((line) => line !== ""),
    nodeId: info.node.id,
  };
  // The preStop hook of a native sidecar.
  const drain = await runOutrider({
    args: ["request", "--debug-port=15020", "POST", "drain"],
    withinMs: startMs,
  });
  agent.kill("SIGTERM");
  const exit = await agent.exitWithin(startMs);
  return {
    ...seen,
    drainCode: drain.exit.kind === "exited" ? drain.exit.code : -1,
    exit,
    envoyIsGone: !isAlive(report.envoy.pid),
    lines: agent.lines,
  };
}

function uidOf(pid: number): number {
  return Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

if (import.meta.main) await answerAsProgram(live);
