import assert from "node:assert/strict";
import { readdirSync, renameSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, test } from "node:test";
import { sleep } from "../../../src/lifecycle/sleep.ts";
import { eventually } from "../../support/eventually.ts";
import { StandaloneSidecar } from "../../support/standalone-sidecar.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { get } from "../../support/mesh.ts";

async function assertReplaced(sidecar: StandaloneSidecar, pid: number, withinMs: number): Promise<number> {
  const startedAt = performance.now();
  await eventually(
    "another Envoy in its place",
    async () => {
      const { ready, envoy } = await sidecar.report();
      assert.ok(ready && envoy.pid !== pid, JSON.stringify(envoy));
      assert.equal((await get(sidecar.trafficPort, "/")).status, 200);
    },
    { withinMs, everyMs: 50 },
  );
  return Math.round(performance.now() - startedAt);
}

/** Whether the flight recorder has asked an Envoy for its state at this occasion. */
function hasRecord(sidecar: StandaloneSidecar, occasion: "hang" | "drain"): boolean {
  const files = readdirSync(join(sidecar.configPath, "flight-recorder"), {
    recursive: true,
    encoding: "utf8",
  });
  return files.some((name) => basename(name).startsWith(`${occasion}-`));
}

/** A cluster with so many endpoints, as a file that Envoy watches. */
function clusterFile(endpoints: number): string {
  const address = (index: number): string => `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;
  const lbEndpoints = Array.from({ length: endpoints }, (_, index) => ({
    endpoint: { address: { socket_address: { address: address(index), port_value: 80 } } },
  }));
  const cluster = {
    "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
    ...{ name: "large", connect_timeout: "1s", type: "STATIC" },
    load_assignment: { cluster_name: "large", endpoints: [{ lb_endpoints: lbEndpoints }] },
  };
  return JSON.stringify({ version_info: String(endpoints), resources: [cluster] });
}

/** Lets a process run for a tenth of the time. */
function slowDown(pid: number): AsyncDisposable {
  const end = new AbortController();
  const slowing = (async () => {
    while (!end.signal.aborted) {
      process.kill(pid, "SIGSTOP");
      await sleep(180);
      process.kill(pid, "SIGCONT");
      await sleep(20);
    }
  })();
  return {
    [Symbol.asyncDispose]: async () => {
      end.abort();
      await slowing;
    },
  };
}

describe("an Envoy whose main thread", { concurrency: 3 }, () => {
  for (const mode of ["overlap", "hot", "cold"]) {
    test(`is stopped is replaced within 10 s, swap mode ${mode}`, async (context) => {
      using folder = temporaryFolder();
      await using sidecar = await StandaloneSidecar.ready({
        folder: folder.path,
        flags: ["--swapMode", mode],
      });
      const pid = await sidecar.envoyPid();
      process.kill(pid, "SIGSTOP");
      const unready = eventually(
        "unready",
        async () => {
          assert.equal(await sidecar.isReady(), false);
        },
        { withinMs: 5_000, everyMs: 50 },
      );
      const tookMs = await assertReplaced(sidecar, pid, 10_000);
      await unready;
      context.diagnostic(`replaced after ${tookMs} ms`);
      assert.equal(await sidecar.metric("outrider_envoy_hangs_total"), 1);
      assert.equal(await sidecar.metric('outrider_envoy_exits_total{reason="hung"}'), 1);
      await eventually("the stopped one gone", () => assert.throws(() => process.kill(pid, 0)), {
        withinMs: 5_000,
      });
      await eventually("what its admin interface did not tell", () => assert.ok(hasRecord(sidecar, "hang")), {
        withinMs: 30_000,
      });
      assert.equal(hasRecord(sidecar, "drain"), false, "nobody has drained it");
    });
  }

  test("takes in a large cluster is busy and not hung: it is ready, says so, and is left alone", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "clusters.json");
    writeFileSync(path, clusterFile(1));
    await using sidecar = await StandaloneSidecar.ready({
      folder: folder.path,
      bootstrap: {
        dynamic_resources: { cds_config: { path_config_source: { path }, resource_api_version: "V3" } },
      },
    });
    const pid = await sidecar.envoyPid();
    writeFileSync(`${path}.new`, clusterFile(150_000));
    renameSync(`${path}.new`, path);
    // On a quick machine it would be done before anybody has noticed.
    await using slowed = slowDown(pid);
    const ask = async (): Promise<string> => {
      assert.equal((await get(sidecar.trafficPort, "/")).status, 200);
      const { status, body } = await get(sidecar.ports.status, "/healthz/ready");
      assert.equal(status, 200, body.toString("utf8"));
      return body.toString("utf8");
    };
    const isBusy = /Envoy is busy: its main thread works and has answered nothing for \d+ s/;
    await eventually("busy", async () => assert.match(await ask(), isBusy), {
      withinMs: 60_000,
      everyMs: 50,
    });
    await slowed[Symbol.asyncDispose]();
    await eventually("no longer busy", async () => assert.equal(await ask(), ""), { withinMs: 120_000 });
    assert.equal(await sidecar.envoyPid(), pid);
    assert.equal(await sidecar.metric("outrider_envoy_hangs_total"), 0);
  });

  test("is slow, four fifths of the time stopped, is left alone", async () => {
    using folder = temporaryFolder();
    await using sidecar = await StandaloneSidecar.ready({ folder: folder.path });
    const pid = await sidecar.envoyPid();
    const until = performance.now() + 12_000;
    while (performance.now() < until) {
      process.kill(pid, "SIGSTOP");
      await sleep(400);
      process.kill(pid, "SIGCONT");
      await sleep(100);
    }
    const { ready, envoy } = await sidecar.report();
    assert.equal(ready, true);
    assert.equal(envoy.pid, pid);
    assert.equal(await sidecar.metric("outrider_envoy_hangs_total"), 0);
  });

  test("is stopped during a swap does not keep the newcomer from taking over", async (context) => {
    using folder = temporaryFolder();
    await using sidecar = await StandaloneSidecar.ready({
      folder: folder.path,
      flags: ["--swapMode", "overlap"],
    });
    const pid = await sidecar.envoyPid();
    process.kill(pid, "SIGSTOP");
    const swap = sidecar.swap();
    const tookMs = await assertReplaced(sidecar, pid, 10_000);
    context.diagnostic(`replaced after ${tookMs} ms: ${JSON.stringify((await swap).report)}`);
    await eventually("the stopped one gone", () => assert.throws(() => process.kill(pid, 0)), {
      withinMs: 10_000,
    });
  });
});
