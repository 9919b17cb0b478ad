/**
 * A sidecar on a bootstrap of the test's own: the real agent and the real Envoy, with static listeners that answer by
 * themselves, so that neither a control plane nor an application is needed.
 */
import assert from "node:assert/strict";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ReloadReport } from "../../src/status/contract/reload-report.ts";

import type { SidecarReport } from "../../src/status/contract/agent-report.ts";
import { fetchHttp } from "../../src/net/http-client.ts";
import { directResponseListener } from "./envoy-config.ts";
import { testEnvoy } from "./envoy.ts";
import { eventually } from "./eventually.ts";
import { freePorts } from "./free-ports.ts";
import { get, metricOf, startMs } from "./mesh.ts";
import { type Program, type RunningOutrider, startOutrider } from "./outrider.ts";

/** What of a bootstrap a test changes. */
export interface StandaloneBootstrap {
  readonly listeners?: readonly object[];
  readonly clusters?: readonly object[];
  readonly [part: string]: unknown;
}

export interface StandaloneOptions {
  /** Holds everything that the agent writes. */
  readonly folder: string;
  /** What `proxy` is to be; a sidecar unless given. */
  readonly type?: "sidecar" | "router";
  /** Flags of `proxy`. */
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Over ProxyConfig's own. */
  readonly proxyConfig?: Readonly<Record<string, unknown>>;
  /** The real one unless given. */
  readonly envoyPath?: string;
  readonly bootstrap?: StandaloneBootstrap;
  /** The sources unless given. */
  readonly program?: Program;
  /** Words that go before the agent's command line. */
  readonly launcher?: readonly string[];
  /** Files to be there before the agent starts, by their paths in the folder. */
  readonly files?: Readonly<Record<string, string>>;
}

/** What a swap that was asked for over HTTP has become, and how long the answer took. */
export interface TimedReload {
  readonly report: ReloadReport;
  readonly tookMs: number;
}

/** Where neither a control plane nor a CA is. */
const nobody = "127.0.0.1:1";

export class StandaloneSidecar implements AsyncDisposable {
  readonly folder: string;
  readonly trafficPort: number;
  readonly ports: { readonly admin: number; readonly status: number };
  readonly agent: RunningOutrider;
  #version = 0;
  #bootstrap: StandaloneBootstrap;

  private constructor(
    options: StandaloneOptions,
    ports: { readonly traffic: number; readonly admin: number; readonly status: number },
    envoyPath: string,
  ) {
    this.folder = options.folder;
    this.trafficPort = ports.traffic;
    this.ports = ports;
    this.#bootstrap = options.bootstrap ?? {};
    mkdirSync(options.folder, { recursive: true });
    this.write(this.#bootstrap);
    for (const [path, content] of Object.entries(options.files ?? {})) {
      mkdirSync(join(options.folder, path, ".."), { recursive: true });
      writeFileSync(join(options.folder, path), content);
    }
    this.agent = startOutrider({
      args: ["proxy", options.type ?? "sidecar", "--parentShutdownDuration", "2s", ...(options.flags ?? [])],
      cwd: options.folder,
      ...(options.program === undefined ? {} : { program: options.program }),
      ...(options.launcher === undefined ? {} : { launcher: options.launcher }),
      env: {
        ENVOY_PATH: envoyPath,
        POD_NAME: "alone-1",
        POD_NAMESPACE: "demo",
        INSTANCE_IP: "127.0.0.1",
        CA_ADDR: nobody,
        // Nothing is captured, and nobody else's use of a usual port is in its way.
        ISTIO_META_INTERCEPTION_MODE: "NONE",
        ENVOY_STATUS_PORT: "0",
        ENVOY_PROMETHEUS_PORT: "0",
        PROXY_CONFIG: JSON.stringify({
          customConfigFile: this.bootstrapPath,
          discoveryAddress: nobody,
          proxyAdminPort: ports.admin,
          statusPort: ports.status,
          concurrency: 1,
          drainDuration: "1s",
          terminationDrainDuration: "1s",
          ...options.proxyConfig,
        }),
        ...options.env,
      },
    });
  }

  static async start(options: StandaloneOptions): Promise<StandaloneSidecar> {
    const [traffic = 0, admin = 0, status = 0] = await freePorts(3);
    return new StandaloneSidecar(
      options,
      { traffic, admin, status },
      options.envoyPath ?? (await testEnvoy()),
    );
  }

  /** The same, once it is ready. */
  static async ready(options: StandaloneOptions): Promise<StandaloneSidecar> {
    const sidecar = await StandaloneSidecar.start(options);
    try {
      await sidecar.ready();
    } catch (error) {
      await sidecar[Symbol.asyncDispose]();
      throw error;
    }
    return sidecar;
  }

  get bootstrapPath(): string {
    return join(this.folder, "bootstrap.json");
  }

  /** What was written last. */
  get bootstrap(): StandaloneBootstrap {
    return this.#bootstrap;
  }

  get configPath(): string {
    return join(this.folder, "etc/istio/proxy");
  }

  /** Replace the bootstrap file in one step. Each has another version, so that each asks for another Envoy. */
  write(bootstrap: StandaloneBootstrap): void {
    this.#bootstrap = bootstrap;
    this.#version += 1;
    const { listeners, clusters, ...rest } = bootstrap;
    this.writeText(
      JSON.stringify({
        node: { id: "alone", cluster: "alone", metadata: { version: this.#version } },
        static_resources: {
          listeners: listeners ?? [directResponseListener({ port: this.trafficPort })],
          clusters: clusters ?? [],
        },
        ...rest,
      }),
    );
  }

  writeText(text: string): void {
    writeFileSync(`${this.bootstrapPath}.new`, text);
    renameSync(`${this.bootstrapPath}.new`, this.bootstrapPath);
  }

  /** Ask for a reload and wait for what became of it. */
  async reload(withinMs = 40_000): Promise<TimedReload> {
    const startedAt = performance.now();
    const { status, body } = await fetchHttp({
      target: { host: "127.0.0.1", port: this.ports.status },
      method: "POST",
      url: "/reload",
      timeoutMs: withinMs,
    });
    const text = body.toString("utf8");
    if (status !== 200) throw new Error(`/reload answered ${status}: ${text}`);
    return { report: JSON.parse(text) as ReloadReport, tookMs: performance.now() - startedAt };
  }

  /**
   * Write a bootstrap, the present one unless given, and reload. The agent may see the file, and swap, before it is asked
   * to: then what it says of that swap is the report.
   */
  async swap(bootstrap: StandaloneBootstrap = this.#bootstrap, withinMs?: number): Promise<TimedReload> {
    const { generation } = (await this.report()).envoy;
    this.write(bootstrap);
    const asked = await this.reload(withinMs);
    if (asked.report.result !== "unchanged" || asked.report.generation === generation) return asked;
    return { ...asked, report: await this.#swappedTo(asked.report.generation).catch(() => asked.report) };
  }

  #swappedTo(generation: number): Promise<ReloadReport> {
    return eventually(
      "the line of the swap",
      () => {
        const line = this.agent.lines.find((text) =>
          text.includes(`Envoy swapped\tgeneration=${generation} `),
        );
        const mode = (["overlap", "hot", "cold"] as const).find((word) => line?.includes(` mode=${word} `));
        assert.ok(line !== undefined && mode !== undefined, `no swap to ${generation}`);
        return { result: "swapped", mode, generation, afterMs: Number(/ afterMs=(\d+)/.exec(line)?.[1]) };
      },
      { withinMs: 1_000, everyMs: 10 },
    );
  }

  async report(): Promise<SidecarReport> {
    const { body } = await get(this.ports.status, "/debug/status");
    return JSON.parse(body.toString("utf8")) as SidecarReport;
  }

  /** A metric of the agent by its start; 0 while it has no sample. */
  metric(name: string): Promise<number> {
    return metricOf(this.ports.status, name);
  }

  async envoyPid(): Promise<number> {
    const { pid } = (await this.report()).envoy;
    if (pid === undefined) throw new Error("Envoy has no pid");
    return pid;
  }

  /** True when the readiness port says so. */
  async isReady(): Promise<boolean> {
    return (await get(this.ports.status, "/healthz/ready")).status === 200;
  }

  async ready(withinMs = startMs): Promise<void> {
    await eventually(
      "ready",
      async () => {
        const { ready, reason } = await this.report();
        if (!ready) throw new Error(reason);
      },
      { withinMs, everyMs: 20 },
    ).catch((error: unknown) => {
      throw new Error(`the sidecar is not ready:\n${this.agent.lines.slice(-30).join("\n")}`, {
        cause: error,
      });
    });
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.agent[Symbol.asyncDispose]();
  }
}
