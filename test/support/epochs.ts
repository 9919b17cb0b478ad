/** Plain Envoys restarted hot, one epoch after the other. */
import { join } from "node:path";
import { fetchHttp } from "../../src/net/http-client.ts";
import { directResponseListener, grpcCluster, grpcSource } from "./envoy-config.ts";
import { freePorts } from "./free-ports.ts";
import { type EpochOptions, HotRestartLineage } from "./hot-restart-lineage.ts";
import { PlainEnvoy } from "./plain-envoy.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** A lineage of Envoys that answer on one port and own one admin socket after the other. */
export class Epochs implements AsyncDisposable {
  readonly port: number;
  readonly lineage: HotRestartLineage;
  readonly #folder: string;
  readonly #timing: EpochOptions;
  readonly #stack: AsyncDisposableStack;

  private constructor(port: number, timing: EpochOptions, stack: AsyncDisposableStack) {
    this.port = port;
    this.#timing = timing;
    this.#stack = stack;
    this.lineage = stack.use(new HotRestartLineage());
    this.#folder = stack.use(temporaryFolder()).path;
  }

  static async create(timing: EpochOptions = { parentShutdownSeconds: 3 }): Promise<Epochs> {
    const [port = 0] = await freePorts(1);
    return new Epochs(port, timing, new AsyncDisposableStack());
  }

  get bootstrap(): { static_resources: { listeners: object[] } } {
    return { static_resources: { listeners: [directResponseListener({ port: this.port })] } };
  }

  async start(
    epoch: number,
    changes: { readonly bootstrap?: object; readonly args?: readonly string[] } = {},
  ): Promise<PlainEnvoy> {
    return this.#stack.use(
      await PlainEnvoy.start({
        folder: join(this.#folder, String(epoch)),
        adminPath: join(this.#folder, "admin.sock"),
        bootstrap: changes.bootstrap ?? this.bootstrap,
        args: [...this.lineage.args(epoch, this.#timing), ...(changes.args ?? [])],
      }),
    );
  }

  async startLive(epoch: number): Promise<PlainEnvoy> {
    const envoy = await this.start(epoch);
    await envoy.reaches("LIVE", epoch);
    return envoy;
  }

  /** A bootstrap whose initialization waits for a control plane that never answers. */
  stalledBootstrap(silentPort: number): object {
    return {
      node: { id: "test", cluster: "test" },
      dynamic_resources: { cds_config: grpcSource("silent", "0s") },
      static_resources: {
        ...this.bootstrap.static_resources,
        clusters: [grpcCluster("silent", silentPort)],
      },
    };
  }

  /** A bootstrap that `--mode validate` would refuse. */
  get brokenBootstrap(): object {
    return {
      static_resources: { listeners: [directResponseListener({ port: this.port, address: "nowhere" })] },
    };
  }

  async answers(): Promise<boolean> {
    try {
      const target = { host: "127.0.0.1", port: this.port };
      return (await fetchHttp({ target, url: "/", timeoutMs: 500 })).status === 200;
    } catch {
      return false;
    }
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#stack.disposeAsync();
  }
}
