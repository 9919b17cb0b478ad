/**
 * Another agent beside ours: any program that has pilot-agent's command line and environment, Istio's own among them.
 *
 * Its Envoy is the real one. Bootstraps are made by templates that each agent has its own kind of, so it gets a finished one
 * (`customConfigFile`), whose clusters and listeners come through the agent as they would from any template.
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { testEnvoy } from "../support/envoy.ts";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/free-ports.ts";
import type { SidecarChanges } from "../support/mesh.ts";
import { type Program, startOutrider } from "../support/outrider.ts";

/** What tables call it. */
export const otherName = "the other agent";

/** @param command as `--against` has it: a program and words that go before `proxy` @returns undefined for none */
export function otherProgram(command: string | undefined): Program | undefined {
  const [file, ...args] = (command ?? "").split(/\s+/).filter((word) => word !== "");
  return file === undefined ? undefined : { file, args };
}

/** How a mesh starts a sidecar of it. @param env over the mesh's own */
export async function otherSidecar(
  program: Program,
  env: Readonly<Record<string, string>> = {},
): Promise<SidecarChanges> {
  const [admin = 0, prometheus = 0] = await freePorts(2);
  const bootstrapPath = "other-bootstrap.json";
  return {
    program,
    env: { ENVOY_PROMETHEUS_PORT: String(prometheus), ...env },
    proxyConfig: {
      customConfigFile: bootstrapPath,
      binaryPath: env["ENVOY_PATH"] ?? (await testEnvoy()),
      proxyAdminPort: admin,
    },
    prepare: (folder) => {
      writeFileSync(join(folder, bootstrapPath), JSON.stringify(bootstrap(admin)));
      return Promise.resolve();
    },
  };
}

/** One that serves its sockets beside a process that is no Envoy. */
export interface LoneAgent extends AsyncDisposable {
  readonly pid: number;
  /** Its ADS socket. */
  readonly xdsPath: string;
  /** Its SDS socket. */
  readonly sdsPath: string;
}

/**
 * Start it in a folder, without an Envoy: whoever asks at its sockets is the bench.
 *
 * @param discoveryAddress of a control plane with TLS @param files by their paths in the folder
 */
export async function startLoneAgent(
  program: Program,
  folder: string,
  discoveryAddress: string,
  files: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
): Promise<LoneAgent> {
  const [status = 0, admin = 0] = await freePorts(2);
  const idle = join(folder, "no-envoy");
  mkdirSync(folder, { recursive: true });
  writeFileSync(idle, "#!/bin/sh\nexec sleep 1000000\n", { mode: 0o755 });
  for (const [path, text] of Object.entries({ ...files, "bootstrap.json": "{}" })) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), text, { mode: 0o600 });
  }
  const agent = startOutrider({
    program,
    args: ["proxy", "sidecar"],
    cwd: folder,
    env: {
      POD_NAME: "other-1",
      POD_NAMESPACE: "demo",
      INSTANCE_IP: "127.0.0.1",
      ...env,
      PROXY_CONFIG: JSON.stringify({
        ...{ discoveryAddress, binaryPath: idle, customConfigFile: "bootstrap.json", statusPort: status },
        proxyAdminPort: admin,
        terminationDrainDuration: "1s",
      }),
    },
  });
  const [xdsPath, sdsPath] = [
    join(folder, "etc/istio/proxy/XDS"),
    join(folder, "var/run/secrets/workload-spiffe-uds/socket"),
  ];
  const there = (): void => {
    if (!existsSync(xdsPath) || !existsSync(sdsPath)) throw new Error(agent.lines.slice(-10).join("\n"));
  };
  try {
    await eventually("the other agent's sockets", there, { withinMs: 30_000 });
  } catch (error) {
    await agent[Symbol.asyncDispose]();
    throw error;
  }
  return { pid: agent.pid, xdsPath, sdsPath, [Symbol.asyncDispose]: () => agent[Symbol.asyncDispose]() };
}

function bootstrap(admin: number): object {
  const ads = { ads: {}, resource_api_version: "V3" };
  return {
    node: {
      id: "sidecar~127.0.0.1~other-1.demo~demo.svc.cluster.local",
      cluster: "other.demo",
      metadata: { NAMESPACE: "demo" },
    },
    admin: { address: { socket_address: { address: "127.0.0.1", port_value: admin } } },
    dynamic_resources: {
      lds_config: ads,
      cds_config: ads,
      ads_config: {
        api_type: "DELTA_GRPC",
        transport_api_version: "V3",
        grpc_services: [{ envoy_grpc: { cluster_name: "xds-grpc" } }],
      },
    },
    static_resources: {
      clusters: [
        http2Pipe("xds-grpc", "./etc/istio/proxy/XDS"),
        http2Pipe("sds-grpc", "./var/run/secrets/workload-spiffe-uds/socket"),
      ],
    },
  };
}

/** A cluster that is a socket of the agent's. */
function http2Pipe(name: string, path: string): object {
  const options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
  return {
    name,
    type: "STATIC",
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: { pipe: { path } } } }] }],
    },
    typed_extension_protocol_options: {
      [options]: {
        "@type": `type.googleapis.com/${options}`,
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
  };
}
