/**
 * What Envoy's hot restart does by itself, without a supervisor: the eight ways in which it loses the old Envoy, its
 * admin interface or every later restart, and the cures that outrider builds on. A release of Envoy that changes
 * one of them changes what the supervisor may assume.
 */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { sleep } from "../../../src/lifecycle/sleep.ts";
import { directResponseListener, grpcCluster, grpcSource, tlsFromSds } from "../../support/envoy-config.ts";
import { Epochs } from "../../support/epochs.ts";
import { freePorts } from "../../support/free-ports.ts";
import { describeLoad, startLoadGenerator } from "../../support/load/generator.ts";
import { PlainEnvoy } from "../../support/plain-envoy.ts";
import { silentServer } from "../../support/silent-server.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { TestPki, validity } from "../../support/test-pki.ts";
import { handshakes } from "../../support/tls-probe.ts";

const exitedCleanly = { kind: "exited", code: 0 } as const;
const failedToStart = { kind: "exited", code: 1 } as const;
const aborted = { kind: "signaled", signal: "SIGABRT" } as const;

describe("plain Envoy's hot restart", { concurrency: 4 }, () => {
  test("under load: the child takes over, the parent ends at its time, no request fails", async () => {
    await using epochs = await Epochs.create({ parentShutdownSeconds: 2 });
    const parent = await epochs.startLive(0);
    await using load = await startLoadGenerator({ port: epochs.port, perSecond: 1_000 });
    const child = await epochs.startLive(1);
    const startedAt = performance.now();
    assert.deepEqual(await parent.exitWithin(4_000), exitedCleanly);
    const tookMs = performance.now() - startedAt;
    assert.ok(tookMs > 1_500, `the parent ended after ${tookMs} ms`);
    await sleep(500);
    const result = await load.stop();
    assert.equal(result.failures.length, 0, describeLoad(result));
    assert.ok(result.total > 1_000, describeLoad(result));
    assert.equal(child.exit, undefined);
  });

  test("F1: a child that dies before it is LIVE blinds the parent and blocks every later child, until the flag is cleared", async () => {
    await using epochs = await Epochs.create();
    const parent = await epochs.startLive(0);
    assert.equal(epochs.lineage.initializingFlag, 0);
    const broken = await epochs.start(1, { bootstrap: epochs.brokenBootstrap });
    assert.deepEqual(await broken.exitWithin(5_000), failedToStart);
    assert.equal(epochs.lineage.initializingFlag, 1);
    assert.equal(await parent.hasAdmin(), false, "the child has taken the admin socket with it");
    assert.equal(await epochs.answers(), true, "the parent serves on");

    const blocked = await epochs.start(1);
    assert.deepEqual(await blocked.exitWithin(5_000), failedToStart);
    assert.match(blocked.lines.join("\n"), /previous envoy process is still initializing/);

    epochs.lineage.heal();
    await epochs.startLive(1);
    assert.deepEqual(await parent.exitWithin(5_000), exitedCleanly);
    assert.equal(await epochs.answers(), true);
  });

  test("F2: a stalled child owns the admin socket at once, and its SIGKILL leaves the parent without one for good", async () => {
    await using epochs = await Epochs.create();
    await using silent = await silentServer();
    const parent = await epochs.startLive(0);
    const stalled = await epochs.start(1, { bootstrap: epochs.stalledBootstrap(silent.port) });
    await stalled.reaches("PRE_INITIALIZING", 1);
    assert.equal(await epochs.answers(), true, "the parent serves while the child waits");
    stalled.kill("SIGKILL");
    await stalled.exitWithin(1_000);
    assert.equal(await epochs.answers(), true);
    await sleep(500);
    assert.equal(await parent.hasAdmin(), false);

    epochs.lineage.heal();
    const child = await epochs.startLive(1);
    assert.equal(await child.hasAdmin(), true);
    assert.deepEqual(await parent.exitWithin(5_000), exitedCleanly);
  });

  test("F3: SIGTERM to a child ends the parent too, stalled or healthy; SIGKILL does not", async () => {
    await using silent = await silentServer();
    {
      await using epochs = await Epochs.create();
      const parent = await epochs.startLive(0);
      const stalled = await epochs.start(1, { bootstrap: epochs.stalledBootstrap(silent.port) });
      await stalled.reaches("PRE_INITIALIZING", 1);
      stalled.kill("SIGTERM");
      assert.deepEqual(await stalled.exitWithin(1_000), exitedCleanly);
      assert.deepEqual(await parent.exitWithin(1_000), exitedCleanly);
      assert.equal(await epochs.answers(), false, "nobody is left");
    }
    {
      await using epochs = await Epochs.create();
      const parent = await epochs.startLive(0);
      const child = await epochs.startLive(1);
      child.kill("SIGTERM");
      assert.deepEqual(await child.exitWithin(1_000), exitedCleanly);
      assert.deepEqual(await parent.exitWithin(1_000), exitedCleanly);
    }
    {
      await using epochs = await Epochs.create();
      const parent = await epochs.startLive(0);
      const child = await epochs.startLive(1);
      child.kill("SIGKILL");
      await child.exitWithin(1_000);
      assert.equal(await epochs.answers(), false, "the parent stopped listening when the child went LIVE");
      await sleep(4_000);
      assert.equal(parent.exit, undefined, "nobody tells the parent to end");
    }
  });

  for (const skipParentStats of [false, true]) {
    const name = skipParentStats
      ? "F4: a child without parent statistics outlives its parent until the parent's end is due, then blocks 10 s and aborts"
      : "F4: a child whose parent dies while it drains blocks 10 s at its next statistics flush, then aborts";
    test(name, async () => {
      await using epochs = await Epochs.create({ parentShutdownSeconds: 3, skipParentStats });
      const parent = await epochs.startLive(0);
      const child = await epochs.startLive(1);
      const liveAt = performance.now();
      parent.kill("SIGKILL");
      await parent.exitWithin(1_000);
      if (skipParentStats) {
        await sleep(2_000);
        assert.equal(await child.hasAdmin(), true, "nothing is wrong before the parent's end is due");
      }
      await sleep(5_000 + 1_000 - (performance.now() - liveAt));
      assert.equal(await child.hasAdmin(), false, "the main thread blocks");
      assert.equal(await epochs.answers(), true, "the workers serve on");
      assert.deepEqual(await child.exitWithin(15_000), aborted);
      const afterMs = performance.now() - liveAt;
      assert.ok(afterMs > 10_000, `it aborted after ${afterMs} ms`);
    });
  }

  test("F4: drained while its admin lives, then killed, such a child costs nothing beside an Envoy on the same port", async () => {
    await using epochs = await Epochs.create({ parentShutdownSeconds: 5 });
    using folder = temporaryFolder();
    const parent = await epochs.startLive(0);
    await using load = await startLoadGenerator({
      port: epochs.port,
      groups: [{ kind: "http1-keep-alive", clients: 10, perSecond: 500 }],
    });
    const child = await epochs.startLive(1);
    await sleep(500);
    parent.kill("SIGKILL");
    await parent.exitWithin(1_000);
    const failedByDeath = load.failures.length;
    await using beside = await PlainEnvoy.start({
      folder: folder.path,
      adminPath: join(folder.path, "admin.sock"),
      bootstrap: epochs.bootstrap,
    });
    await beside.reaches("LIVE");
    assert.equal((await child.admin("/drain_listeners?graceful", "POST")).status, 200);
    await sleep(1_500);
    child.kill("SIGKILL");
    await child.exitWithin(1_000);
    await sleep(300);
    const result = await load.stop();
    assert.equal(result.failures.length, failedByDeath, describeLoad(result));
  });

  test("F5: without its certificate a child goes LIVE after the fetch timeout, drains a parent that had one, and no handshake succeeds", async () => {
    const pki = await TestPki.create();
    const { certificatePem, privateKeyPem } = await pki.serverKeyPair(
      ["localhost"],
      validity(-60_000, 3_600_000),
    );
    await using epochs = await Epochs.create();
    await using silent = await silentServer();
    const [tlsPort = 0] = await freePorts(1);
    const bootstrap = (tlsCertificates: object): object => ({
      node: { id: "test", cluster: "test" },
      static_resources: {
        listeners: [
          ...epochs.bootstrap.static_resources.listeners,
          directResponseListener({ port: tlsPort, name: "tls", ...tlsCertificates }),
        ],
        clusters: [grpcCluster("silent", silent.port)],
      },
    });
    const inline = {
      name: "envoy.transport_sockets.tls",
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
        common_tls_context: {
          tls_certificates: [
            {
              certificate_chain: { inline_string: certificatePem },
              private_key: { inline_string: privateKeyPem },
            },
          ],
        },
      },
    };
    const parent = await epochs.start(0, { bootstrap: bootstrap({ transportSocket: inline }) });
    await parent.reaches("LIVE", 0);
    assert.equal(await handshakes(tlsPort), true);
    const fromSds = tlsFromSds(grpcSource("silent", "1s"));
    const child = await epochs.start(1, { bootstrap: bootstrap({ transportSocket: fromSds }) });
    const liveAfterMs = await child.reaches("LIVE", 1);
    assert.ok(liveAfterMs > 900, `LIVE after ${liveAfterMs} ms`);
    assert.equal((await child.admin("/ready")).status, 200, "readiness is green");
    assert.equal(await handshakes(tlsPort), false);
    const stats = await child.page("/stats?usedonly&filter=init_fetch_timeout|secrets_not_ready");
    assert.match(stats, /sds\.workload\.init_fetch_timeout: 1/);
    assert.match(stats, /downstream_context_secrets_not_ready: [1-9]/);
  });

  test("F6: an epoch above 0 without shared memory aborts at once, whatever the flags", async () => {
    await using epochs = await Epochs.create();
    const orphan = await epochs.start(1);
    assert.deepEqual(await orphan.exitWithin(5_000), aborted);
    assert.match(orphan.lines.join("\n"), /cannot open shared memory region/);
    const skipping = await epochs.start(1, { args: ["--skip-hot-restart-on-no-parent"] });
    assert.deepEqual(await skipping.exitWithin(5_000), aborted);
    await epochs.startLive(0);
  });

  test("F6: with the shared memory of a dead parent, --skip-hot-restart-on-no-parent starts normally", async () => {
    await using epochs = await Epochs.create();
    const dead = await epochs.startLive(0);
    dead.kill("SIGKILL");
    await dead.exitWithin(1_000);
    const child = await epochs.start(1, { args: ["--skip-hot-restart-on-no-parent"] });
    await child.reaches("LIVE", 1);
  });

  test("F7: the epoch after next ends a parent that still drains, at once", async () => {
    await using epochs = await Epochs.create({ parentShutdownSeconds: 20 });
    const first = await epochs.startLive(0);
    const second = await epochs.startLive(1);
    await sleep(300);
    assert.equal(first.exit, undefined);
    await epochs.startLive(2);
    assert.deepEqual(await first.exitWithin(1_000), exitedCleanly);
    assert.equal(second.exit, undefined);
  });

  test("F8: a base ID that is taken in this network namespace refuses the second Envoy and leaves the first alone", async () => {
    await using epochs = await Epochs.create();
    using folder = temporaryFolder();
    const first = await epochs.startLive(0);
    const [otherPort = 0] = await freePorts(1);
    await using second = await PlainEnvoy.start({
      folder: folder.path,
      adminPath: join(folder.path, "admin.sock"),
      bootstrap: { static_resources: { listeners: [directResponseListener({ port: otherPort })] } },
      args: epochs.lineage.args(0, { parentShutdownSeconds: 3 }),
    });
    assert.deepEqual(await second.exitWithin(5_000), failedToStart);
    assert.match(second.lines.join("\n"), /unable to bind domain socket with base_id=\d+, id=0, errno=98/);
    assert.equal(await first.hasAdmin(), true);
    await epochs.startLive(1);
    assert.deepEqual(await first.exitWithin(5_000), exitedCleanly);
  });

  test("what stays behind: the shared memory always, abstract sockets never", async () => {
    await using epochs = await Epochs.create();
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      const envoy = await epochs.startLive(0);
      assert.equal(epochs.lineage.sockets.length, 4);
      envoy.kill(signal);
      await envoy.exitWithin(1_000);
      assert.deepEqual(epochs.lineage.sockets, []);
      assert.equal(epochs.lineage.initializingFlag, 0);
      rmSync(epochs.lineage.sharedMemoryPath);
    }
  });
});

describe("two plain Envoys side by side", { concurrency: 2 }, () => {
  test("share a port without a word, and split its connections", async () => {
    using folder = temporaryFolder();
    const [port = 0] = await freePorts(1);
    const bootstrap = { static_resources: { listeners: [directResponseListener({ port })] } };
    const start = (name: string): Promise<PlainEnvoy> =>
      PlainEnvoy.start({
        folder: join(folder.path, name),
        adminPath: join(folder.path, `${name}.sock`),
        bootstrap,
      });
    await using first = await start("a");
    await using second = await start("b");
    await Promise.all([first.reaches("LIVE"), second.reaches("LIVE")]);
    await using load = await startLoadGenerator({
      port,
      groups: [{ kind: "http1-new", clients: 4, perSecond: 400 }],
    });
    await sleep(500);
    await load.stop();
    for (const envoy of [first, second]) {
      const stats = await envoy.page("/stats?filter=http.direct.downstream_cx_total$");
      assert.ok(Number(stats.split(": ")[1]) > 20, stats);
    }
  });

  test("without reuse_port the second cannot have the port: a static listener ends it, its own exit code 1", async () => {
    using folder = temporaryFolder();
    const [port = 0] = await freePorts(1);
    const bootstrap = {
      static_resources: { listeners: [directResponseListener({ port, reusePort: false })] },
    };
    const start = (name: string): Promise<PlainEnvoy> =>
      PlainEnvoy.start({
        folder: join(folder.path, name),
        adminPath: join(folder.path, `${name}.sock`),
        bootstrap,
      });
    await using first = await start("a");
    await first.reaches("LIVE");
    await using second = await start("b");
    assert.deepEqual(await second.exitWithin(5_000), failedToStart);
    assert.match(second.lines.join("\n"), /cannot bind '127\.0\.0\.1:\d+': Address already in use/);
  });
});
