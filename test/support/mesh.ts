/** A mesh of real parts: the control plane and sidecars in processes of their own, applications in this one. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import type { SidecarReport } from "../../src/status/contract/agent-report.ts";
import { openTokenIssuer } from "../../src/controlplane/demo-tokens.ts";
import { fetchHttp, type HttpResponse } from "../../src/net/http-client.ts";
import { eventually } from "./eventually.ts";
import { freePorts } from "./free-ports.ts";
import { type Program, type RunningOutrider, startOutrider } from "./outrider.ts";
import { temporaryFolder } from "./temporary-folder.ts";
import { layWorkload, type SidecarPorts, type Workload } from "./workload.ts";

/** Longest start of a sidecar, in milliseconds; `patience` gives it room on a busy machine. */
export const startMs = 30_000;

export interface TestSidecar {
  readonly name: string;
  readonly folder: string;
  readonly ports: SidecarPorts;
  readonly agent: RunningOutrider;
  /** What its agent was given. */
  readonly env: Readonly<Record<string, string>>;
  report(): Promise<SidecarReport>;
  /** A metric of the agent; 0 while it has no sample. */
  metric(name: string): Promise<number>;
  ready(): Promise<void>;
}

export interface WorkloadChanges {
  readonly env?: Readonly<Record<string, string>>;
  readonly proxyConfig?: Readonly<Record<string, unknown>>;
  /** Undefined leaves the file out. */
  readonly token?: string | undefined;
  readonly rootPem?: string | undefined;
  /** Discovery in plain text, which asks for no token. */
  readonly plainDiscovery?: boolean;
}

export interface SidecarChanges extends WorkloadChanges {
  /** A sidecar unless told. */
  readonly type?: "router";
  /** Flags of `proxy`. */
  readonly flags?: readonly string[];
  /** Runs once the sidecar's folder is there, before its agent starts. */
  readonly prepare?: (folder: string) => Promise<void>;
  /** Words that go before the command line, such as those of `unshare`. */
  readonly launcher?: readonly string[];
  /** The sources unless given. */
  readonly program?: Program;
}

export class TestMesh implements AsyncDisposable {
  readonly folder: string;
  readonly configFolder: string;
  readonly controlPlanePorts: { readonly tls: number; readonly plain: number; readonly http: number };
  readonly #stack: AsyncDisposableStack;
  readonly #flags: readonly string[];
  readonly #program: Program | undefined;
  #controlPlane: RunningOutrider;

  private constructor(
    folder: string,
    ports: TestMesh["controlPlanePorts"],
    flags: readonly string[],
    program: Program | undefined,
    stack: AsyncDisposableStack,
  ) {
    this.folder = folder;
    this.configFolder = join(folder, "mesh");
    this.controlPlanePorts = ports;
    this.#flags = flags;
    this.#program = program;
    this.#stack = stack;
    this.#controlPlane = this.#startControlPlane();
  }

  /** @param flags of the control plane @param program it is of: the sources unless given */
  static async start(
    files: Readonly<Record<string, readonly object[]>>,
    flags: readonly string[] = [],
    program?: Program,
  ): Promise<TestMesh> {
    const stack = new AsyncDisposableStack();
    const folder = stack.use(temporaryFolder()).path;
    const [tls = 0, plain = 0, http = 0] = await freePorts(3);
    mkdirSync(join(folder, "mesh"));
    for (const [name, objects] of Object.entries(files)) {
      writeFileSync(join(folder, "mesh", name), documents(objects));
    }
    const mesh = new TestMesh(folder, { tls, plain, http }, flags, program, stack);
    try {
      await mesh.controlPlaneReady();
    } catch (error) {
      await stack.disposeAsync();
      throw error;
    }
    return mesh;
  }

  get controlPlane(): RunningOutrider {
    return this.#controlPlane;
  }

  get rootPem(): string {
    return readFileSync(join(this.folder, "state/root-cert.pem"), "utf8");
  }

  async controlPlaneReady(): Promise<void> {
    await eventually("the control plane", () => expectOk(this.controlPlanePorts.http, "/ready"), {
      withinMs: startMs,
    }).catch((error: unknown) => {
      const said = this.#controlPlane.lines.slice(-30).join("\n");
      throw new Error(`the control plane is not ready:\n${said}`, { cause: error });
    });
  }

  async restartControlPlane(): Promise<void> {
    this.#controlPlane = this.#startControlPlane();
    await this.controlPlaneReady();
  }

  /** Replace a file of the configuration folder. */
  write(name: string, ...objects: readonly object[]): void {
    writeFileSync(join(this.configFolder, name), documents(objects));
  }

  async token(
    serviceAccount: string,
    changes: { lifetimeMs?: number; audience?: string } = {},
  ): Promise<string> {
    const issuer = await openTokenIssuer(join(this.folder, "state"));
    return issuer.issue({
      namespace: "demo",
      serviceAccount,
      audience: "istio-ca",
      lifetimeMs: 3_600_000,
      ...changes,
    });
  }

  /** What a sidecar of this mesh has, with no agent started. */
  async workload(name: string, changes: WorkloadChanges = {}): Promise<Workload> {
    return layWorkload({
      ...{ folder: join(this.folder, name), name },
      token: "token" in changes ? changes.token : await this.token(name),
      rootPem: "rootPem" in changes ? changes.rootPem : this.rootPem,
      proxyConfig: { ...this.#discovery(changes.plainDiscovery === true), ...changes.proxyConfig },
      ...(changes.env === undefined ? {} : { env: changes.env }),
    });
  }

  /** Start a sidecar; it is not waited for. */
  async sidecar(name: string, changes: SidecarChanges = {}): Promise<TestSidecar> {
    const { folder, ports, env } = await this.workload(name, changes);
    await changes.prepare?.(folder);
    const agent = startOutrider({
      ...(changes.launcher === undefined ? {} : { launcher: changes.launcher }),
      ...(changes.program === undefined ? {} : { program: changes.program }),
      args: ["proxy", changes.type ?? "sidecar", ...(changes.flags ?? [])],
      cwd: folder,
      env,
    });
    this.#stack.use(agent);
    return testSidecar({ name, folder, ports, agent, env });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  #discovery(isPlain: boolean): Readonly<Record<string, string>> {
    const { tls, plain } = this.controlPlanePorts;
    if (!isPlain) return { discoveryAddress: `localhost:${tls}` };
    return { discoveryAddress: `localhost:${plain}`, controlPlaneAuthPolicy: "NONE" };
  }

  #startControlPlane(): RunningOutrider {
    const { tls, plain, http } = this.controlPlanePorts;
    const outrider = startOutrider({
      ...(this.#program === undefined ? {} : { program: this.#program }),
      args: [
        "discovery",
        ...["--configDir", this.configFolder, "--stateDir", join(this.folder, "state")],
        ...["--secureGrpcPort", String(tls), "--grpcPort", String(plain), "--httpPort", String(http)],
        ...this.#flags,
      ],
    });
    this.#stack.use(outrider);
    return outrider;
  }
}

function testSidecar(parts: Pick<TestSidecar, "name" | "folder" | "ports" | "agent" | "env">): TestSidecar {
  const { name, ports, agent } = parts;
  const report = async (): Promise<SidecarReport> =>
    JSON.parse((await get(ports.status, "/debug/status")).body.toString("utf8")) as SidecarReport;
  return {
    ...parts,
    report,
    metric: (metric) => metricOf(ports.status, metric),
    ready: async () => {
      await eventually(
        `${name} ready`,
        async () => {
          const { ready, reason } = await report();
          if (!ready) throw new Error(reason);
        },
        { withinMs: startMs },
      ).catch((error: unknown) => {
        throw new Error(`${name} is not ready:\n${agent.lines.slice(-30).join("\n")}`, { cause: error });
      });
    },
  };
}

/** Resolves once the agent that was started for a workload is ready. */
export async function workloadReady({ ports }: Workload, agent: RunningOutrider): Promise<void> {
  await eventually("the sidecar", () => expectOk(ports.status, "/healthz/ready"), {
    withinMs: startMs,
  }).catch((error: unknown) => {
    throw new Error(`not ready:\n${agent.lines.slice(-30).join("\n")}`, { cause: error });
  });
}

function documents(objects: readonly object[]): string {
  return objects.map((object) => stringify(object)).join("---\n");
}

/** The first sample whose line starts so, of the metrics on this status port; 0 when there is none. */
export async function metricOf(statusPort: number, start: string): Promise<number> {
  const text = (await get(statusPort, "/stats/prometheus")).body.toString("utf8");
  const line = text.split("\n").find((candidate) => candidate.startsWith(start));
  return line === undefined ? 0 : Number(line.split(" ").at(-1));
}

/** GET on loopback. */
export function get(
  port: number,
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<HttpResponse> {
  return fetchHttp({ target: { host: "127.0.0.1", port }, url, headers, timeoutMs: 10_000 });
}

async function expectOk(port: number, url: string): Promise<void> {
  const { status } = await get(port, url);
  if (status !== 200) throw new Error(`${url} answered ${status}`);
}
