/** A real istiod, which `test/istiod/run.sh` builds, with its configuration in files and an empty cluster. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { spawnChild } from "../../../src/process/child.ts";
import { endOf } from "../../../src/process/child-end.ts";
import { eventually } from "../eventually.ts";
import { freePorts } from "../free-ports.ts";
import { get, startMs } from "../mesh.ts";
import { startEmptyCluster } from "./kubernetes.ts";

export interface Istiod extends AsyncDisposable {
  /** Of the process that runs now. */
  readonly pid: number;
  readonly ports: { readonly tls: number; readonly plain: number; readonly http: number };
  readonly rootPem: string;
  write(name: string, ...objects: readonly object[]): void;
  kill(): Promise<void>;
  /** Start it again, with the ports, the configuration and the root of before. */
  restart(): Promise<void>;
}

/** What only Istio's own build of Envoy understands, or only a cluster can have. */
const environment = {
  POD_NAME: "istiod-1",
  POD_NAMESPACE: "istio-system",
  PILOT_ENABLE_ALPN_FILTER: "false",
  PILOT_ENABLE_METADATA_EXCHANGE: "false",
  PILOT_ENABLE_TELEMETRY_LABEL: "false",
  PILOT_ENABLE_WORKLOAD_ENTRY_HEALTHCHECKS: "false",
};

/**
 * @param host where it listens for proxies
 * @throws Error when ISTIOD_PATH names none
 */
export async function startIstiod(
  folder: string,
  files: Readonly<Record<string, readonly object[]>>,
  host = "127.0.0.1",
): Promise<Istiod> {
  const binary = process.env["ISTIOD_PATH"];
  if (binary === undefined) throw new Error("ISTIOD_PATH names no istiod: use npm run test:istiod");
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await startEmptyCluster());
  const [tls = 0, plain = 0, http = 0, monitoring = 0] = await freePorts(4);
  const config = join(folder, "config");
  mkdirSync(config, { recursive: true });
  const write = (name: string, ...objects: readonly object[]): void => {
    writeFileSync(
      join(config, name),
      objects.map((object) => stringify(object, { version: "1.1" })).join("---\n"),
    );
  };
  for (const [name, objects] of Object.entries(files)) write(name, ...objects);
  const kubeconfig = join(folder, "kubeconfig");
  writeFileSync(kubeconfig, stringify(connectionTo(cluster.port)));
  const lines: string[] = [];
  const start = () =>
    spawnChild({
      file: binary,
      args: [
        "discovery",
        ...["--kubeconfig", kubeconfig, "--configDir", config, "--meshConfig", "/dev/null"],
        ...["--secureGRPCAddr", `${host}:${tls}`, "--grpcAddr", `127.0.0.1:${plain}`],
        ...["--httpAddr", `127.0.0.1:${http}`, "--monitoringAddr", `127.0.0.1:${monitoring}`],
        ...["--httpsAddr", "", "--ctrlz_port", "0"],
      ],
      cwd: folder,
      env: { PATH: process.env["PATH"], HOME: folder, ...environment },
      stdout: (line) => lines.push(line),
      stderr: (line) => lines.push(line),
    });
  let child = start();
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await endOf(child, AbortSignal.timeout(10_000));
  };
  stack.defer(kill);
  const ready = (): Promise<void> =>
    eventually(
      "istiod",
      async () => {
        const { status } = await get(http, "/ready");
        if (status !== 200) throw new Error(lines.slice(-20).join("\n"));
      },
      { withinMs: startMs },
    );
  await ready();
  const owned = stack.move();
  return {
    get pid() {
      return child.pid ?? 0;
    },
    ports: { tls, plain, http },
    rootPem: await cluster.rootPem,
    write,
    kill,
    restart: async () => {
      child = start();
      await ready();
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function connectionTo(port: number): object {
  return {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "empty", cluster: { server: `http://127.0.0.1:${port}` } }],
    users: [{ name: "istiod", user: {} }],
    contexts: [{ name: "empty", context: { cluster: "empty", user: "istiod" } }],
    "current-context": "empty",
  };
}
