/** A sidecar's files, environment and ports, with no agent started: for the commands that look at them. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { testEnvoy } from "./envoy.ts";
import { freePorts } from "./free-ports.ts";
import { eventually } from "./eventually.ts";
import { get, type SidecarPorts, startMs, type TestMesh } from "./mesh.ts";
import type { RunningOutrider } from "./outrider.ts";

export interface Workload {
  readonly folder: string;
  readonly ports: SidecarPorts;
  readonly env: Readonly<Record<string, string>>;
  /** Replace a file; undefined removes it. */
  write(path: string, content: string | undefined): void;
}

export const tokenPath = "var/run/secrets/tokens/istio-token";
export const rootPath = "var/run/secrets/istio/root-cert.pem";

export async function prepareWorkload(
  mesh: TestMesh,
  name: string,
  proxyConfig: Readonly<Record<string, unknown>> = {},
): Promise<Workload> {
  const folder = join(mesh.folder, name);
  const write = (path: string, content: string | undefined): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    if (content === undefined) rmSync(join(folder, path), { force: true });
    else writeFileSync(join(folder, path), content);
  };
  write(tokenPath, await mesh.token(name));
  write(rootPath, mesh.rootPem);
  write("etc/istio/pod/labels", `app="${name}"\n`);
  const [admin = 0, status = 0, envoyStatus = 0, prometheus = 0] = await freePorts(4);
  return {
    folder,
    write,
    ports: { admin, status, envoyStatus, prometheus },
    env: {
      ENVOY_PATH: await testEnvoy(),
      POD_NAME: `${name}-1`,
      POD_NAMESPACE: "demo",
      SERVICE_ACCOUNT: name,
      INSTANCE_IP: "127.0.0.1",
      ISTIO_META_INTERCEPTION_MODE: "NONE",
      ENVOY_STATUS_PORT: String(envoyStatus),
      ENVOY_PROMETHEUS_PORT: String(prometheus),
      PROXY_CONFIG: JSON.stringify({
        discoveryAddress: `localhost:${mesh.controlPlanePorts.tls}`,
        proxyAdminPort: admin,
        statusPort: status,
        concurrency: 1,
        terminationDrainDuration: "1s",
        ...proxyConfig,
      }),
    },
  };
}

/** Resolves once the agent that was started for a workload is ready. */
export async function sidecarReady(workload: Workload, agent: RunningOutrider): Promise<void> {
  await eventually(
    "the sidecar",
    async () => {
      const { status } = await get(workload.ports.status, "/healthz/ready");
      if (status !== 200) throw new Error(`it answers ${status}`);
    },
    { withinMs: startMs },
  ).catch((error: unknown) => {
    throw new Error(`not ready:\n${agent.lines.slice(-30).join("\n")}`, { cause: error });
  });
}
