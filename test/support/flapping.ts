/** A control plane that comes and goes under a sidecar with traffic. */
import assert from "node:assert/strict";
import { sleep } from "../../src/lifecycle/sleep.ts";
import { clustersOf } from "./clusters-of.ts";
import { eventually } from "./eventually.ts";
import { assertNotGrown, type Footprint, footprintOf } from "./footprint.ts";
import { freePorts } from "./free-ports.ts";
import { startApp } from "./http-app.ts";
import { startLoad } from "./load.ts";
import { get, TestMesh } from "./mesh.ts";
import { apiHost, egress, plainText, service } from "./mesh-objects.ts";
import { TcpRelay } from "./tcp-relay.ts";

export interface FlapOptions {
  /** At least so many. */
  readonly flaps: number;
  /** On a busy machine the agent may not connect in every time that it can: it goes on until it has, at most five times as long. */
  readonly connections?: number;
  /** Half of it the control plane can be reached, half of it not. */
  readonly periodMs: number;
  /** At each so many flaps its process is killed as well, and started again. */
  readonly killEvery?: number;
}

export interface FlapResult {
  /** How many there were. */
  readonly flaps: number;
  readonly requests: number;
  readonly failed: readonly string[];
  /** From the last flap until Envoy has the newest configuration. */
  readonly convergedMs: number;
  /** Of the agent, once it was ready and once all was over. */
  readonly before: Footprint;
  readonly after: Footprint;
  /** Lines that the agent wrote meanwhile. */
  readonly lines: number;
  /** Times that the agent was connected. */
  readonly connections: number;
}

/** Envoy's own back-off between two streams is up to 30 s. */
const convergeMs = 60_000;

/** Each flap has a configuration of its own; the last one's is to be what is served. Fails when the agent grows. */
export async function runFlaps(options: FlapOptions): Promise<FlapResult> {
  const { periodMs, killEvery, connections: wanted = 0 } = options;
  await using stack = new AsyncDisposableStack();
  const [outbound = 0] = await freePorts(1);
  const app = stack.use(await startApp("api"));
  const mesh = stack.use(
    await TestMesh.start({
      "api.yaml": [service("api", [{ port: app.port }])],
      "plain.yaml": [plainText("api")],
      "web.yaml": [egress("web", outbound)],
    }),
  );
  const relay = stack.use(await TcpRelay.listen(mesh.controlPlanePorts.tls));
  const web = await mesh.sidecar("web", { proxyConfig: { discoveryAddress: `localhost:${relay.port}` } });
  await web.ready();
  await using load = startLoad(() => get(outbound, "/", { host: apiHost }));
  const before = footprintOf(web.agent.pid);
  const lines = web.agent.lines.length;
  const connections = (): number =>
    web.agent.lines.slice(lines).filter((line) => line.includes("connected to the discovery")).length;
  let flaps = 0;
  while (flaps < options.flaps || (connections() < wanted && flaps < 5 * options.flaps)) {
    flaps += 1;
    await relay.refuse();
    mesh.write("flap.yaml", service(`flap-${flaps}`, [{ port: app.port }]));
    const isKilled = killEvery !== undefined && flaps % killEvery === 0;
    if (isKilled) {
      mesh.controlPlane.kill("SIGKILL");
      await mesh.controlPlane.exitWithin(5_000);
    }
    await sleep(periodMs / 2);
    await relay.accept();
    if (isKilled) await mesh.restartControlPlane();
    await sleep(periodMs / 2);
  }
  const over = performance.now();
  await eventually(
    "the last configuration",
    async () => {
      assert.equal((await web.report()).xds.state, "connected");
      const clusters = await clustersOf(web);
      assert.deepEqual([...new Set(clusters.match(/flap-\d+/g))], [`flap-${flaps}`]);
    },
    // Each look at all of the agent costs it some memory of its own.
    { withinMs: convergeMs, everyMs: 500 },
  );
  const convergedMs = performance.now() - over;
  const failed = await load.stop();
  await assertNotGrown(web.agent.pid, before, 50);
  return {
    flaps,
    requests: load.count(),
    failed,
    convergedMs,
    before,
    after: footprintOf(web.agent.pid),
    lines: web.agent.lines.length - lines,
    connections: connections(),
  };
}
