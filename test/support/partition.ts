/** A control plane whose packets are dropped, in a network namespace of its own: nothing refuses, nothing answers. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { sleep } from "../../src/lifecycle/sleep.ts";
import { clustersOf } from "./clusters-of.ts";
import { eventually } from "./eventually.ts";
import { assertNotGrown, footprintOf } from "./footprint.ts";
import { freePorts } from "./free-ports.ts";
import { startApp } from "./http-app.ts";
import { startLoad } from "./load.ts";
import { get, startMs, TestMesh } from "./mesh.ts";
import { apiHost, egress, plainText, service } from "./mesh-objects.ts";

export interface PartitionOptions {
  /** How long packets are dropped, in milliseconds. */
  readonly forMs: number;
}

export interface PartitionResult {
  readonly requests: number;
  readonly failed: readonly string[];
  /** What the sidecar that ran all the while said when the partition was over. */
  readonly runningState: string;
  /** The same of the one that was started in the partition. */
  readonly startedState: string;
  /** From its start until it served. */
  readonly startedMs: number;
  /** From the partition's end until both had what was changed in it. */
  readonly convergedMs: number;
}

/** The control plane's address, of this namespace alone. */
const address = "10.255.255.1";

/**
 * Packets to it can be led to a device that nobody listens to: it is looked up before the kernel's own table, which
 * would have them delivered.
 */
function prepareNetwork(): void {
  for (const words of [
    `addr add ${address}/32 dev lo`,
    "link add nowhere type veth peer name nobody",
    "link set nowhere arp off up",
    "route add default dev nowhere table 50",
    "rule add pref 10 lookup local",
    "rule del pref 0",
  ])
    execFileSync("ip", words.split(" "));
}

function setPartition(isOn: boolean): void {
  execFileSync("ip", ["rule", isOn ? "add" : "del", "pref", "5", "to", address, "lookup", "50"]);
}

/** To be run in a network namespace of its own. */
export async function runPartition({ forMs }: PartitionOptions): Promise<PartitionResult> {
  prepareNetwork();
  await using stack = new AsyncDisposableStack();
  const [outbound = 0, other = 0] = await freePorts(2);
  const app = stack.use(await startApp("api"));
  const mesh = stack.use(
    await TestMesh.start(
      {
        "api.yaml": [service("api", [{ port: app.port }]), service("old", [{ port: app.port }])],
        // Nobody can have a certificate who starts in the partition.
        "plain.yaml": ["api", "old", "new"].map(plainText),
        "web.yaml": [egress("web", outbound), egress("late", other)],
      },
      ["--host", "0.0.0.0"],
    ),
  );
  const start = (name: string) =>
    mesh.sidecar(name, {
      env: { ISTIOD_SAN: "istiod.istio-system.svc" },
      proxyConfig: { discoveryAddress: `${address}:${mesh.controlPlanePorts.tls}` },
    });
  const web = await start("web");
  const early = await start("late");
  await web.ready();
  await early.ready();
  early.agent.kill("SIGTERM");
  await early.agent.exitWithin(20_000);
  await using load = startLoad(() => get(outbound, "/", { host: apiHost }));
  const before = footprintOf(web.agent.pid);

  setPartition(true);
  const since = performance.now();
  mesh.write("api.yaml", service("api", [{ port: app.port }]), service("new", [{ port: app.port }]));
  const late = await start("late");
  await late.ready();
  const startedMs = performance.now() - since;
  assert.equal((await get(other, "/", { host: apiHost })).status, 200);
  await sleep(forMs - startedMs);
  const [runningState, startedState] = [(await web.report()).xds.state, (await late.report()).xds.state];
  assert.match(await clustersOf(web), /old\.demo/);

  setPartition(false);
  const over = performance.now();
  await eventually(
    "what was changed in the partition",
    async () => {
      for (const sidecar of [web, late]) {
        assert.equal((await sidecar.report()).xds.state, "connected");
        const clusters = await clustersOf(sidecar);
        assert.match(clusters, /new\.demo/);
        assert.doesNotMatch(clusters, /old\.demo/);
      }
    },
    { withinMs: startMs * 3, everyMs: 500 },
  );
  const convergedMs = performance.now() - over;
  const failed = await load.stop();
  await assertNotGrown(web.agent.pid, before, 50);
  return { requests: load.count(), failed, runningState, startedState, startedMs, convergedMs };
}
