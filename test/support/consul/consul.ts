/** A real Consul: one server that is its own agent, with ACLs, which is killed and comes back with what it had. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Child, spawnChild } from "../../../src/process/child.ts";
import { fetchHttp, type HttpResponse } from "../../../src/net/http-client.ts";
import { eventually } from "../eventually.ts";
import { freePorts } from "../free-ports.ts";

/** What may do everything. */
const management = "11111111-2222-3333-4444-555555555555";

export interface RegisteredService {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly meta?: Readonly<Record<string, string>>;
}

export class RealConsul implements AsyncDisposable {
  readonly url: string;
  readonly #folder: string;
  readonly #ports: readonly number[];
  #child: Child | undefined;

  private constructor(folder: string, ports: readonly number[]) {
    this.#folder = folder;
    this.#ports = ports;
    this.url = `http://127.0.0.1:${ports[0] ?? 0}`;
  }

  static async start(folder: string): Promise<RealConsul> {
    const consul = new RealConsul(folder, await freePorts(5));
    await consul.start();
    return consul;
  }

  async start(): Promise<void> {
    const [http = 0, serf = 0, wan = 0, server = 0, grpc = 0] = this.#ports;
    mkdirSync(this.#folder, { recursive: true });
    const config = join(this.#folder, "consul.json");
    writeFileSync(
      config,
      JSON.stringify({
        server: true,
        bootstrap_expect: 1,
        data_dir: join(this.#folder, "data"),
        node_name: "n1",
        bind_addr: "127.0.0.1",
        log_level: "warn",
        ports: { http, dns: -1, serf_lan: serf, serf_wan: wan, server, grpc, grpc_tls: -1 },
        acl: {
          enabled: true,
          default_policy: "deny",
          tokens: { initial_management: management, agent: management },
        },
      }),
    );
    this.#child = spawnChild({
      file: process.env["CONSUL_PATH"] ?? "consul",
      args: ["agent", "-config-file", config],
      stdout: "ignore",
      stderr: "ignore",
    });
    await eventually(
      "a leader",
      async () => {
        const { status, body } = await this.ask("GET", "/v1/status/leader");
        if (status !== 200 || body.toString("utf8") === '""') throw new Error(`status ${status}`);
      },
      { withinMs: 60_000 },
    );
  }

  async kill(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#child?.exited;
  }

  /** Everything that it knew is gone, as after a disk that is lost. */
  forget(): void {
    rmSync(join(this.#folder, "data"), { recursive: true });
  }

  /** A token that may read services, and nodes where told. */
  async readToken(): Promise<string> {
    const rules = 'service_prefix "" { policy = "read" } node_prefix "" { policy = "read" }';
    const name = `read-${performance.now().toFixed(0)}`;
    await this.#put("/v1/acl/policy", { Name: name, Rules: rules });
    const { body } = await this.#put("/v1/acl/token", { Policies: [{ Name: name }] });
    return (JSON.parse(body.toString("utf8")) as { readonly SecretID: string }).SecretID;
  }

  /** With a check that passes. */
  async register({ id, name, address, port, meta }: RegisteredService): Promise<void> {
    await this.#put("/v1/agent/service/register", {
      ID: id,
      Name: name,
      Address: address,
      Port: port,
      Meta: { ...meta },
      Check: { TTL: "24h", Status: "passing" },
    });
  }

  async deregister(id: string): Promise<void> {
    await this.#put(`/v1/agent/service/deregister/${id}`, {});
  }

  async check(id: string, state: "pass" | "warn" | "fail"): Promise<void> {
    await this.#put(`/v1/agent/check/${state}/service:${id}`, undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  ask(method: string, url: string, body?: object): Promise<HttpResponse> {
    return fetchHttp({
      target: { host: "127.0.0.1", port: this.#ports[0] ?? 0 },
      method,
      url,
      headers: { "x-consul-token": management },
      timeoutMs: 10_000,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  async #put(url: string, body: object | undefined): Promise<HttpResponse> {
    return eventually(
      `PUT ${url}`,
      async () => {
        const response = await this.ask("PUT", url, body);
        if (response.status !== 200) throw new Error(`${response.status} ${response.body.toString("utf8")}`);
        return response;
      },
      { withinMs: 30_000 },
    );
  }
}
