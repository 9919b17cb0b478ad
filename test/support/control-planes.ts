/** Several control planes beside each other: of one folder, of one state, and behind one address, as a Service has. */
import { join } from "node:path";
import { eventually } from "./eventually.ts";
import { freePorts } from "./free-ports.ts";
import { get, startMs, type TestMesh } from "./mesh.ts";
import { type RunningOutrider, startOutrider } from "./outrider.ts";
import { TcpRelay } from "./tcp-relay.ts";

class ControlPlane {
  readonly #mesh: TestMesh;
  readonly #stack: AsyncDisposableStack;
  readonly #ports: { readonly tls: number; readonly http: number };
  #running: RunningOutrider | undefined;
  isReady = false;

  constructor(mesh: TestMesh, stack: AsyncDisposableStack, ports: { tls: number; http: number }) {
    this.#mesh = mesh;
    this.#stack = stack;
    this.#ports = ports;
  }

  get port(): number {
    return this.#ports.tls;
  }

  async start(): Promise<void> {
    const { tls, http } = this.#ports;
    this.#running = this.#stack.use(
      startOutrider({
        args: [
          "discovery",
          ...["--configDir", this.#mesh.configFolder, "--stateDir", join(this.#mesh.folder, "state")],
          ...["--secureGrpcPort", String(tls), "--plainGrpc", "off", "--httpPort", String(http)],
        ],
      }),
    );
    await eventually(
      "a control plane",
      async () => {
        const { status } = await get(http, "/ready");
        if (status !== 200) throw new Error(`/ready answers ${status}`);
      },
      { withinMs: startMs },
    );
    this.isReady = true;
  }

  async stop(): Promise<void> {
    this.isReady = false;
    this.#running?.kill("SIGTERM");
    await this.#running?.exitWithin(startMs);
  }

  /** Names of the proxies that are connected. */
  async proxies(): Promise<readonly string[]> {
    if (!this.isReady) return [];
    const { body } = await get(this.#ports.http, "/debug/syncz");
    return [...body.toString("utf8").matchAll(/"proxy":\s*"([^"]+)"/g)].map(([, proxy = ""]) => proxy);
  }
}

export class ControlPlanes implements AsyncDisposable {
  readonly all: readonly ControlPlane[];
  readonly #relay: TcpRelay;
  readonly #stack: AsyncDisposableStack;

  private constructor(all: readonly ControlPlane[], relay: TcpRelay, stack: AsyncDisposableStack) {
    this.all = all;
    this.#relay = relay;
    this.#stack = stack;
  }

  /** Beside the mesh's own. */
  static async start(mesh: TestMesh, count: number): Promise<ControlPlanes> {
    await using guard = new AsyncDisposableStack();
    // Those that are started again later are put there too.
    const stack = guard.use(new AsyncDisposableStack());
    const ports = await freePorts(2 * count);
    const all = Array.from(
      { length: count },
      (_, index) =>
        new ControlPlane(mesh, stack, { tls: ports[2 * index] ?? 0, http: ports[2 * index + 1] ?? 0 }),
    );
    await Promise.all(all.map((plane) => plane.start()));
    let turn = 0;
    const next = (): number => {
      const ready = all.filter(({ isReady }) => isReady);
      turn += 1;
      return ready[turn % ready.length]?.port ?? 0;
    };
    const relay = stack.use(await TcpRelay.listen(next));
    return new ControlPlanes(all, relay, guard.move());
  }

  /** Of one of them, another one at each connection. */
  get address(): string {
    return `localhost:${this.#relay.port}`;
  }

  /** Resolves when as many proxies are connected, to whichever of them. */
  async connected(count: number): Promise<void> {
    await eventually(
      `${count} proxies`,
      async () => {
        const proxies = new Set((await Promise.all(this.all.map((plane) => plane.proxies()))).flat());
        if (proxies.size !== count) throw new Error(`connected: ${[...proxies].join()}`);
      },
      { withinMs: startMs },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
