/** Envoy without an agent: what it does by itself when it is restarted, badly or well. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Child, type ChildExit, spawnChild } from "../../src/process/child.ts";
import { sleep } from "../../src/lifecycle/sleep.ts";
import { fetchHttp, type HttpResponse } from "../../src/net/http-client.ts";
import { testEnvoy } from "./envoy.ts";
import { eventually } from "./eventually.ts";

/** What a test says about one Envoy. */
export interface PlainEnvoyOptions {
  /** Holds the bootstrap; made if it is not there. */
  readonly folder: string;
  readonly adminPath: string;
  readonly bootstrap: object;
  /** `--disable-hot-restart` unless given. */
  readonly args?: readonly string[];
}

/** What of `/server_info` matters here. */
interface ServerInfo {
  readonly state: string;
  readonly epoch: number;
}

export class PlainEnvoy implements AsyncDisposable {
  readonly adminPath: string;
  readonly startedAt: number = performance.now();
  readonly lines: string[] = [];
  readonly #child: Child;
  #exit: ChildExit | undefined;

  private constructor(binary: string, options: PlainEnvoyOptions, bootstrapPath: string) {
    this.adminPath = options.adminPath;
    const onLine = (line: string): void => {
      this.lines.push(line);
    };
    this.#child = spawnChild({
      file: binary,
      args: [
        ...["-c", bootstrapPath, "--concurrency", "1", "-l", "warning"],
        ...(options.args ?? ["--disable-hot-restart"]),
      ],
      stdout: onLine,
      stderr: onLine,
    });
    void this.#child.exited.then((exit) => {
      this.#exit = exit;
    });
  }

  static async start(options: PlainEnvoyOptions): Promise<PlainEnvoy> {
    const binary = await testEnvoy();
    mkdirSync(options.folder, { recursive: true });
    const bootstrapPath = join(options.folder, "envoy.json");
    const admin = { address: { pipe: { path: options.adminPath, mode: 0o600 } } };
    writeFileSync(bootstrapPath, JSON.stringify({ admin, ...options.bootstrap }));
    return new PlainEnvoy(binary, options, bootstrapPath);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Undefined while it runs. */
  get exit(): ChildExit | undefined {
    return this.#exit;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** @throws Error when it still runs after `ms` */
  async exitWithin(ms: number): Promise<ChildExit> {
    const settled = new AbortController();
    const exit = await Promise.race([this.#child.exited, sleep(ms, settled.signal)]);
    settled.abort();
    if (exit === undefined)
      throw new Error(`Envoy still runs after ${ms} ms:\n${this.lines.slice(-20).join("\n")}`);
    return exit;
  }

  admin(url: string, method = "GET", timeoutMs = 1_000): Promise<HttpResponse> {
    return fetchHttp({ target: { path: this.adminPath }, method, url, timeoutMs });
  }

  /** Body of an admin page. */
  async page(url: string): Promise<string> {
    return (await this.admin(url)).body.toString("utf8");
  }

  async serverInfo(): Promise<ServerInfo> {
    const info = JSON.parse(await this.page("/server_info")) as {
      state: string;
      command_line_options: { restart_epoch?: number };
    };
    return { state: info.state, epoch: info.command_line_options.restart_epoch ?? 0 };
  }

  /** True while somebody answers on the admin socket. */
  async hasAdmin(): Promise<boolean> {
    try {
      await this.admin("/ready", "GET", 300);
      return true;
    } catch {
      return false;
    }
  }

  /** Resolves with the milliseconds since the start once this epoch is in `state` and owns the admin socket. */
  async reaches(state: string, epoch = 0, withinMs = 10_000): Promise<number> {
    await eventually(
      `epoch ${epoch} ${state}`,
      async () => {
        if (this.#exit !== undefined) return;
        const info = await this.serverInfo();
        if (info.state !== state || info.epoch !== epoch) throw new Error(JSON.stringify(info));
      },
      { withinMs, everyMs: 5 },
    );
    if (this.#exit !== undefined)
      throw new Error(`Envoy ended: ${JSON.stringify(this.#exit)}\n${this.lines.slice(-20).join("\n")}`);
    return performance.now() - this.startedAt;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }
}
