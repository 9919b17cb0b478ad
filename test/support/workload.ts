/** A sidecar's files, environment and ports, with no agent started: for those that start it, and commands that look at them. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { testEnvoy } from "./envoy.ts";
import { freePorts } from "./free-ports.ts";

export interface SidecarPorts {
  readonly admin: number;
  readonly status: number;
  readonly envoyStatus: number;
  readonly prometheus: number;
}

export interface Workload {
  readonly folder: string;
  readonly ports: SidecarPorts;
  readonly env: Readonly<Record<string, string>>;
  /** Replace a file; undefined removes it. */
  write(path: string, content: string | undefined): void;
}

export interface WorkloadOptions {
  readonly folder: string;
  /** Also the service account and the label `app`; its namespace is `demo`. */
  readonly name: string;
  /** Undefined leaves the file out. */
  readonly token: string | undefined;
  readonly rootPem: string | undefined;
  readonly proxyConfig: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}

export const tokenPath = "var/run/secrets/tokens/istio-token";
export const rootPath = "var/run/secrets/istio/root-cert.pem";

/** Lay its files. */
export async function layWorkload(options: WorkloadOptions): Promise<Workload> {
  const { folder, name } = options;
  const write = (path: string, content: string | undefined): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    if (content === undefined) rmSync(join(folder, path), { force: true });
    else writeFileSync(join(folder, path), content);
  };
  write(tokenPath, options.token);
  write(rootPath, options.rootPem);
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
      // Services of all tests are at port 80, and the machine has one of them.
      ISTIO_META_UNPRIVILEGED_POD: "true",
      ENVOY_STATUS_PORT: String(envoyStatus),
      ENVOY_PROMETHEUS_PORT: String(prometheus),
      PROXY_CONFIG: JSON.stringify({
        proxyAdminPort: admin,
        statusPort: status,
        concurrency: 1,
        terminationDrainDuration: "1s",
        ...options.proxyConfig,
      }),
      ...options.env,
    },
  };
}
