import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createConnection, type Socket } from "node:net";
import { describe, test } from "node:test";
import { sleep } from "../../src/lifecycle/sleep.ts";
import { fetchHttp, type HttpResponse } from "../../src/net/http-client.ts";
import { eventually } from "../support/eventually.ts";
import { startLoad } from "../support/load.ts";
import { get, TestMesh, type TestSidecar } from "../support/mesh.ts";
import { StandaloneSidecar } from "../support/standalone-sidecar.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { ScriptedEnvoy } from "../support/scripted-envoy.ts";
import { startWebAndApi, type WebAndApi } from "../support/web-and-api.ts";

/** What both kinds of sidecars have. */
type AnySidecar = Pick<TestSidecar, "agent" | "report">;

async function envoyPid(sidecar: AnySidecar): Promise<number> {
  const { pid } = (await sidecar.report()).envoy;
  assert.ok(pid !== undefined, "Envoy has no pid");
  return pid;
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}

function post(port: number, url: string): Promise<HttpResponse> {
  return fetchHttp({ target: { host: "127.0.0.1", port }, method: "POST", url, timeoutMs: 5_000 });
}

function lineOf(sidecar: AnySidecar, text: string): string {
  const line = sidecar.agent.lines.find((candidate) => candidate.includes(text));
  assert.ok(line !== undefined, `no line has ${text}:\n${sidecar.agent.lines.slice(-20).join("\n")}`);
  return line;
}

/** When a line was written, in milliseconds. */
function timeOf(line: string): number {
  return Date.parse(line.slice(0, line.indexOf("\t")));
}

/** Room for a machine that has other work, and less than any end here would take that came too late. */
const exitMs = 30_000;

/** Resolves to the milliseconds until the agent had exited with code 0. */
async function exitsZero(sidecar: AnySidecar): Promise<number> {
  const startedAt = performance.now();
  assert.deepEqual(await sidecar.agent.exitWithin(exitMs), { kind: "exited", code: 0 });
  return performance.now() - startedAt;
}

/** A request that takes `ms`, once it has reached the application. */
async function slowCall(mesh: WebAndApi, ms: number): Promise<{ readonly response: Promise<HttpResponse> }> {
  const before = mesh.app.requests.length;
  const response = mesh.call(`/slow?ms=${ms}`);
  await eventually("the request at the application", () => assert.ok(mesh.app.requests.length > before), {
    withinMs: 5_000,
    everyMs: 10,
  });
  return { response };
}

/** A connection that its client does not let go of. */
async function idleClient({ trafficPort }: StandaloneSidecar): Promise<Disposable> {
  const client = createConnection(trafficPort, "127.0.0.1");
  client.on("error", () => undefined);
  await once(client, "connect");
  return {
    [Symbol.dispose]: () => {
      client.destroy();
    },
  };
}

const atZero = { EXIT_ON_ZERO_ACTIVE_CONNECTIONS: "true", MINIMUM_DRAIN_DURATION: "1s" };

type EarlierEnd = readonly [
  name: string,
  flags: readonly string[],
  /** Says that it is time. */
  line: string,
  end: (sidecar: StandaloneSidecar, application: Socket, pid: number) => unknown,
];

describe("a sidecar that is told to stop", { concurrency: 3 }, () => {
  describe("EXIT_ON_ZERO_ACTIVE_CONNECTIONS", () => {
    test("waits for a slow request and for an idle connection until its client lets go of it", async () => {
      await using mesh = await startWebAndApi({ api: { env: atZero } });
      const { response } = await slowCall(mesh, 2_500);
      assert.equal((await mesh.call()).status, 200, "opens a second connection, which then is idle");
      mesh.api.agent.kill("SIGTERM");
      assert.equal((await response).status, 200);
      await sleep(1_500);
      assert.match(lineOf(mesh.api, "connections are still open"), /listeners="127\.0\.0\.1_\d+: 2"/);
      assert.equal(
        (await mesh.call()).status,
        200,
        "the idle connection still serves, and is closed after this",
      );
      await exitsZero(mesh.api);
      assert.match(lineOf(mesh.api, "drained"), /because="no connection is left" .*connections=0/);
    });

    test("ends at MAXIMUM_DRAIN_DURATION and says who was left", async () => {
      using folder = temporaryFolder();
      await using sidecar = await StandaloneSidecar.ready({
        folder: folder.path,
        env: { ...atZero, MAXIMUM_DRAIN_DURATION: "3s" },
      });
      using _client = await idleClient(sidecar);
      sidecar.agent.kill("SIGTERM");
      const tookMs = await exitsZero(sidecar);
      assert.ok(tookMs >= 2_900, `ended after ${tookMs} ms`);
      assert.match(lineOf(sidecar, "drained"), /because="its time is over" .*connections=1 listeners="127/);
    });

    test("does not keep a sidecar whose application has ended: POST /quitquitquit is bounded", async () => {
      using folder = temporaryFolder();
      await using sidecar = await StandaloneSidecar.ready({
        folder: folder.path,
        env: atZero,
        flags: ["--preDrainDelay=60s"],
      });
      using _client = await idleClient(sidecar);
      assert.equal((await post(sidecar.ports.status, "/quitquitquit")).status, 200);
      await exitsZero(sidecar);
    });
  });

  describe("a stop that an idle client would hold up for ever", () => {
    for (const [name, flags, line, end] of [
      [
        "ends with POST /quitquitquit in the drain",
        [],
        "connections are still open",
        (sidecar) => post(sidecar.ports.admin, "/quitquitquit"),
      ],
      [
        "ends with the application in the delay",
        ["--preDrainDelay=120s"],
        "serving on",
        (_, application) => application.destroy(),
      ],
      ["ends with Envoy in the drain", [], "draining Envoy", (_, __, pid) => process.kill(pid, "SIGKILL")],
      [
        "ends with Envoy in the delay",
        ["--preDrainDelay=120s"],
        "serving on",
        (_, __, pid) => process.kill(pid, "SIGTERM"),
      ],
    ] satisfies readonly EarlierEnd[]) {
      test(name, async () => {
        using folder = temporaryFolder();
        await using sidecar = await StandaloneSidecar.ready({
          folder: folder.path,
          flags: ["--appGrace=0s", ...flags],
          env: atZero,
        });
        const pid = await sidecar.envoyPid();
        const application = createConnection(`${sidecar.configPath}/app.sock`);
        await once(application, "data");
        using _client = await idleClient(sidecar);
        sidecar.agent.kill("SIGTERM");
        await eventually(line, () => assert.ok(sidecar.agent.lines.some((text) => text.includes(line))), {
          withinMs: 10_000,
          everyMs: 10,
        });
        await end(sidecar, application, pid);
        assert.deepEqual(await sidecar.agent.exitWithin(15_000), { kind: "exited", code: 0 });
      });
    }
  });

  describe("SIGTERM before Envoy was ever ready", () => {
    /** Neither a control plane nor a CA answers. */
    const alone = { discoveryAddress: "127.0.0.1:1", terminationDrainDuration: "120s" };

    test("nothing is drained, and the code is the signal's; the application's end is a success all the same", async () => {
      await using mesh = await TestMesh.start({});
      for (const [end, code] of [
        ["SIGTERM", 143],
        ["SIGINT", 130],
        ["/quitquitquit", 0],
      ] as const) {
        const sidecar = await mesh.sidecar(`early-${code}`, {
          proxyConfig: alone,
          flags: ["--preDrainDelay=120s"],
          env: { CA_ADDR: "127.0.0.1:1" },
        });
        await eventually("Envoy", async () => assert.ok(isAlive(await envoyPid(sidecar))), {
          withinMs: 15_000,
        });
        if (end === "/quitquitquit") assert.equal((await post(sidecar.ports.status, end)).status, 200);
        else sidecar.agent.kill(end);
        assert.deepEqual(await sidecar.agent.exitWithin(10_000), { kind: "exited", code });
        assert.ok(!sidecar.agent.lines.some((text) => text.includes("draining Envoy")));
      }
    });
  });

  describe("--preDrainDelay", () => {
    test("readiness is red at once while requests go on succeeding, then the drain begins", async () => {
      await using mesh = await startWebAndApi({ api: { flags: ["--preDrainDelay=3s"] } });
      await using load = startLoad(() => mesh.call());
      mesh.api.agent.kill("SIGTERM");
      await eventually(
        "readiness gone",
        async () => assert.equal((await get(mesh.api.ports.envoyStatus, "/healthz/ready")).status, 503),
        { withinMs: 1_000, everyMs: 10 },
      );
      const before = load.count();
      await sleep(2_000);
      assert.ok(load.count() > before, "no request after readiness was gone");
      assert.deepEqual(await load.stop(), []);
      await exitsZero(mesh.api);
      const delayMs = timeOf(lineOf(mesh.api, "draining Envoy")) - timeOf(lineOf(mesh.api, "serving on"));
      assert.ok(delayMs >= 2_990, `the drain began after ${delayMs} ms`);
    });
  });

  describe("an Envoy that hangs", () => {
    test("at SIGTERM is ended when the drain's time is over", async () => {
      using folder = temporaryFolder();
      await using sidecar = await StandaloneSidecar.ready({
        folder: folder.path,
        proxyConfig: { terminationDrainDuration: "2s" },
      });
      const pid = await envoyPid(sidecar);
      process.kill(pid, "SIGSTOP");
      sidecar.agent.kill("SIGTERM");
      const tookMs = await exitsZero(sidecar);
      assert.ok(tookMs >= 1_900, `took ${tookMs} ms`);
      assert.match(lineOf(sidecar, "drained"), /because="its time is over"/);
      assert.equal(isAlive(pid), false);
    });
  });

  describe("POST /drain", () => {
    test("keeps Envoy and readiness; SIGTERM then ends both at once, Envoy first", async () => {
      await using mesh = await startWebAndApi({ api: { proxyConfig: { terminationDrainDuration: "120s" } } });
      const pid = await envoyPid(mesh.api);
      assert.equal((await post(mesh.api.ports.status, "/drain")).status, 200);
      await sleep(500);
      assert.equal((await get(mesh.api.ports.status, "/healthz/ready")).status, 200);
      assert.equal((await mesh.call()).status, 200);
      mesh.api.agent.kill("SIGTERM");
      await exitsZero(mesh.api);
      assert.equal(isAlive(pid), false);
    });

    test("does not count for an Envoy that was started later", async () => {
      using folder = temporaryFolder();
      await using sidecar = await StandaloneSidecar.ready({
        folder: folder.path,
        proxyConfig: { terminationDrainDuration: "2s" },
      });
      assert.equal((await post(sidecar.ports.status, "/drain")).status, 200);
      const pid = await envoyPid(sidecar);
      process.kill(pid, "SIGKILL");
      await eventually("another Envoy", async () => assert.notEqual(await envoyPid(sidecar), pid), {
        withinMs: 5_000,
      });
      await sidecar.ready();
      sidecar.agent.kill("SIGTERM");
      const tookMs = await exitsZero(sidecar);
      assert.ok(tookMs >= 1_900, `ended after ${tookMs} ms, without a drain`);
    });
  });

  describe("POST /quitquitquit", () => {
    test("while Envoy waits to be started again ends with 0 and leaves none behind", async () => {
      using folder = temporaryFolder();
      const envoy = await ScriptedEnvoy.in(folder.path);
      await using sidecar = await StandaloneSidecar.ready({
        folder: folder.path,
        envoyPath: envoy.path,
        // The first death is followed by a start at once, the second by this.
        flags: ["--restartBackoff=1h", "--restartMaxBackoff=1h"],
      });
      envoy.become("crash");
      process.kill(await envoyPid(sidecar), "SIGKILL");
      await eventually(
        "a wait",
        () =>
          assert.match(sidecar.agent.lines.join("\n"), /Envoy died, restarting it.* delayMs=[1-9]\d{6}\b/),
        { withinMs: 10_000 },
      );
      assert.equal((await sidecar.report()).envoy.state, "restarting");
      assert.equal((await post(sidecar.ports.admin, "/quitquitquit")).status, 200);
      await exitsZero(sidecar);
      assert.equal(existsSync(`${sidecar.configPath}/generations/3`), false);
    });
  });
});
