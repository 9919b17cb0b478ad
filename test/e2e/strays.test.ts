import assert from "node:assert/strict";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { sharedMemoryPath } from "../../src/envoy/generation/shared-memory.ts";
import { endStrays } from "../../src/envoy/generation/strays.ts";
import { fetchHttp } from "../../src/net/http-client.ts";
import { spawnChild } from "../../src/process/child.ts";
import { identityOf, isAlive, type ProcessIdentity } from "../../src/process/identity.ts";
import { testEnvoy } from "../support/envoy.ts";
import { eventually } from "../support/eventually.ts";
import { hasRoot } from "../support/privilege.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { testLog } from "../support/test-log.ts";
import { startWebAndApi } from "../support/web-and-api.ts";

const program = join(import.meta.dirname, "../support/fixtures/launch-envoy.ts");

interface Launched {
  readonly launcher: ProcessIdentity;
  readonly envoy: ProcessIdentity;
  /** End the launcher as the kernel's OOM killer would. */
  killLauncher(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

async function launch(configPath: string, ...args: readonly string[]): Promise<Launched> {
  const lines: string[] = [];
  const child = spawnChild({
    file: process.execPath,
    args: [program, configPath, await testEnvoy(), ...args],
    stdout: (line) => lines.push(line),
    stderr: "ignore",
  });
  const pid = await eventually(
    "a pid of Envoy",
    () => {
      assert.ok(lines[0] !== undefined);
      return Number(lines[0]);
    },
    { withinMs: 10_000, everyMs: 10 },
  );
  const [launcher, envoy] = [identityOf(child.pid ?? 0), identityOf(pid)];
  assert.ok(launcher !== undefined && envoy !== undefined);
  const killLauncher = async (): Promise<void> => {
    child.kill("SIGKILL");
    await child.exited;
  };
  const serves = async (): Promise<void> => {
    const target = { path: join(configPath, "generations/1/admin.sock") };
    assert.equal((await fetchHttp({ target, url: "/ready", timeoutMs: 1_000 })).status, 200);
  };
  await eventually("Envoy", serves, { withinMs: 20_000 });
  return {
    launcher,
    envoy,
    killLauncher,
    async [Symbol.asyncDispose]() {
      await killLauncher();
      if (isAlive(envoy)) process.kill(envoy.pid, "SIGKILL");
    },
  };
}

const cold = ["--disable-hot-restart", "--concurrency", "1"];
const hot = [
  ...["--use-dynamic-base-id", "--base-id-path", "<folder>/base-id", "--restart-epoch", "0"],
  ...["--concurrency", "1"],
];

describe("a killed agent's Envoy", () => {
  test("outlives it without hot restart, and is ended with its folder at the next start", async () => {
    using folder = temporaryFolder();
    await using launched = await launch(folder.path, ...cold);
    await launched.killLauncher();
    assert.equal(isAlive(launched.envoy), true);

    const { log, lines } = testLog();
    assert.deepEqual(await endStrays(folder.path, log), { kind: "clean", ended: [launched.envoy.pid] });
    assert.equal(isAlive(launched.envoy), false);
    assert.equal(existsSync(join(folder.path, "generations/1")), false);
    assert.deepEqual(lines, [
      `warn\tstray Envoy of a killed agent ended\tgeneration=1 pid=${launched.envoy.pid} ` +
        `agentPid=${launched.launcher.pid} signal=SIGTERM`,
    ]);
  });

  test("is ended by SIGKILL when it hangs", async () => {
    using folder = temporaryFolder();
    await using launched = await launch(folder.path, ...cold);
    await launched.killLauncher();
    process.kill(launched.envoy.pid, "SIGSTOP");
    const { log, lines } = testLog();
    assert.deepEqual(await endStrays(folder.path, log), { kind: "clean", ended: [launched.envoy.pid] });
    assert.equal(isAlive(launched.envoy), false);
    assert.match(lines.join("\n"), /signal=SIGKILL/);
  });

  test("ends with it in hot restart mode, and its shared memory is removed at the next start", async () => {
    using folder = temporaryFolder();
    await using launched = await launch(folder.path, ...hot);
    const baseId = Number(readFileSync(join(folder.path, "generations/1/base-id"), "utf8"));
    const segment = sharedMemoryPath(baseId);
    assert.equal(existsSync(segment), true);
    await launched.killLauncher();
    await eventually("the end of Envoy", () => assert.equal(isAlive(launched.envoy), false), {
      withinMs: 5_000,
      everyMs: 10,
    });
    assert.equal(existsSync(segment), true);

    const { log, lines } = testLog();
    assert.deepEqual(await endStrays(folder.path, log), { kind: "clean", ended: [] });
    assert.equal(existsSync(segment), false);
    assert.equal(existsSync(join(folder.path, "generations/1")), false);
    assert.deepEqual(lines, [`info\tshared memory of a stray Envoy removed\tbaseId=${baseId}`]);
  });

  test("keeps its shared memory from being removed by a folder that names it wrongly", async () => {
    using folder = temporaryFolder();
    using other = temporaryFolder();
    await using launched = await launch(folder.path, ...hot);
    const baseId = Number(readFileSync(join(folder.path, "generations/1/base-id"), "utf8"));
    writeRecord(other.path, "1", { ...deadRecord, baseId });
    assert.deepEqual(await endStrays(other.path, testLog().log), { kind: "clean", ended: [] });
    assert.equal(existsSync(sharedMemoryPath(baseId)), true);
    await launched.killLauncher();
    await eventually("the end of Envoy", () => assert.equal(isAlive(launched.envoy), false), {
      withinMs: 5_000,
    });
    assert.deepEqual(await endStrays(folder.path, testLog().log), { kind: "clean", ended: [] });
    assert.equal(existsSync(sharedMemoryPath(baseId)), false);
  });

  test("is left alone while its agent lives", async () => {
    using folder = temporaryFolder();
    await using launched = await launch(folder.path, ...cold);
    const { log, lines } = testLog();
    const agentPid = launched.launcher.pid;
    assert.deepEqual(await endStrays(folder.path, log), { kind: "in-use", agentPid });
    assert.equal(isAlive(launched.envoy), true);
    assert.equal(existsSync(join(folder.path, "generations/1/process.json")), true);
    assert.deepEqual(lines, []);
  });
});

const deadRecord = {
  envoy: { pid: 4_194_304, startTime: 1 },
  agent: { pid: 4_194_303, startTime: 1 },
  binary: "/usr/bin/envoy",
};

function writeRecord(configPath: string, name: string, record: unknown): void {
  const folder = join(configPath, "generations", name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "process.json"), typeof record === "string" ? record : JSON.stringify(record));
}

describe("endStrays()", () => {
  test("does not touch a process that got the pid of an Envoy", async () => {
    using folder = temporaryFolder();
    const bystander = spawnChild({ file: "sleep", args: ["60"], stdout: "ignore", stderr: "ignore" });
    const identity = identityOf(bystander.pid ?? 0);
    assert.ok(identity !== undefined);
    const envoy = { ...identity, startTime: identity.startTime - 1 };
    writeRecord(folder.path, "1", { ...deadRecord, envoy });
    assert.deepEqual(await endStrays(folder.path, testLog().log), { kind: "clean", ended: [] });
    assert.equal(isAlive(identity), true);
    assert.equal(existsSync(join(folder.path, "generations/1")), false);
    bystander.kill("SIGKILL");
    await bystander.exited;
  });

  test("does not touch a living process of a record's pid and start time that is no Envoy of ours", async () => {
    using folder = temporaryFolder();
    // Even one that calls itself Envoy and has the bootstrap on its command line.
    const bystander = spawnChild({
      file: "sleep",
      args: ["60"],
      env: { PATH: process.env["PATH"], OUTRIDER_GENERATION_MARK: "another" },
      stdout: "ignore",
      stderr: "ignore",
    });
    const envoy = identityOf(bystander.pid ?? 0);
    assert.ok(envoy !== undefined);
    using _ = ended(envoy);
    for (const mark of [undefined, "m"]) {
      writeRecord(folder.path, "1", { ...deadRecord, envoy, mark, executable: "/usr/bin/sleep" });
      const { log, lines } = testLog();
      assert.deepEqual(await endStrays(folder.path, log), { kind: "clean", ended: [] });
      assert.equal(isAlive(envoy), true);
      assert.match(lines.join("\n"), /names a process that is no Envoy of ours, left alone/);
    }
  });

  test("follows no link that was laid in the place of the generations, and cleans nothing there", async () => {
    using folder = temporaryFolder();
    using elsewhere = temporaryFolder();
    mkdirSync(join(elsewhere.path, "1"));
    symlinkSync(elsewhere.path, join(folder.path, "generations"));
    await assert.rejects(endStrays(folder.path, testLog().log), /generations is not used: it is a link/);
    rmSync(join(folder.path, "generations"));
    mkdirSync(join(folder.path, "generations"));
    symlinkSync(elsewhere.path, join(folder.path, "generations/1"));
    await endStrays(folder.path, testLog().log);
    assert.equal(existsSync(join(elsewhere.path, "1")), true);
  });

  test("sets a corrupt record aside, removes folders without one, and leaves what is not a generation", async () => {
    using folder = temporaryFolder();
    writeRecord(folder.path, "7", '{"envoy":');
    mkdirSync(join(folder.path, "generations/8"));
    mkdirSync(join(folder.path, "generations/8.kept"));
    const { log, lines } = testLog();
    assert.deepEqual(await endStrays(folder.path, log), { kind: "clean", ended: [] });
    assert.equal(readFileSync(join(folder.path, "process.7.corrupt.json"), "utf8"), '{"envoy":');
    assert.deepEqual(
      ["7", "8", "8.kept"].map((name) => existsSync(join(folder.path, "generations", name))),
      [false, false, true],
    );
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? "", /^warn\trecord of a generation cannot be read, set aside\tgeneration=7 /);
  });

  test("has nothing to do where no agent ever ran", async () => {
    using folder = temporaryFolder();
    assert.deepEqual(await endStrays(join(folder.path, "none"), testLog().log), { kind: "clean", ended: [] });
  });
});

/** Ends it after the test, if the test did not. */
function ended(identity: ProcessIdentity): Disposable {
  return {
    [Symbol.dispose]: () => {
      if (isAlive(identity)) process.kill(identity.pid, "SIGKILL");
    },
  };
}

describe("outrider", () => {
  test("killed by SIGKILL: the next start ends its Envoy and serves in its place", async () => {
    // An Envoy that can take part in a hot restart ends with its agent; one that cannot outlives it.
    const flags = ["--swapMode=overlap"];
    await using mesh = await startWebAndApi({ api: { flags } });
    const { pid = 0 } = (await mesh.api.report()).envoy;
    const stray = identityOf(pid);
    assert.ok(stray !== undefined);
    // It holds the agent's output open: nothing that waits for the end of that may be waited for.
    using _ = ended(stray);
    mesh.api.agent.kill("SIGKILL");
    const agentIsGone = (): void => {
      assert.equal(existsSync(`/proc/${mesh.api.agent.pid}`), false);
    };
    await eventually("the agent's end", agentIsGone, { withinMs: 5_000, everyMs: 10 });
    assert.equal(isAlive(stray), true);

    const api = await mesh.mesh.sidecar("api", { flags });
    await api.ready();
    assert.equal(isAlive(stray), false);
    assert.notEqual((await api.report()).envoy.pid, stray.pid);
    await eventually("traffic", async () => assert.equal((await mesh.call()).status, 200), {
      withinMs: 10_000,
    });
    assert.deepEqual(readdirSync(join(api.folder, "etc/istio/proxy/generations")), ["1"]);
  });

  test("refuses a folder in which another one runs, and touches nothing of it", async (t) => {
    await using mesh = await startWebAndApi();
    const { pid = 0 } = (await mesh.api.report()).envoy;
    const folder = join(mesh.api.folder, "etc/istio/proxy");
    const files = [
      "XDS",
      "agent.sock",
      "app.sock",
      ...["admin.sock", "envoy.json", "process.json"].map(inFirst),
    ];
    const inodes = (): readonly number[] => files.map((name) => lstatSync(join(folder, name)).ino);
    const untouched = inodes();
    const second = (await mesh.mesh.sidecar("api")).agent;
    assert.deepEqual(await second.exitWithin(10_000), { kind: "exited", code: 64 });
    assert.match(
      second.lines.join("\n"),
      new RegExp(
        `ProxyConfig: configPath: .*etc/istio/proxy is in use by the outrider with pid ${mesh.api.agent.pid}:`,
      ),
    );
    assert.deepEqual(inodes(), untouched);
    assert.equal((await mesh.api.report()).envoy.pid, pid);
    assert.equal((await mesh.call()).status, 200);

    // Somebody clears the volume: every socket and all of Envoy's files.
    await using load = startLoad(mesh);
    for (const name of [...readdirSync(folder)]) rmSync(join(folder, name), { recursive: true });
    await eventually(
      "ready, with the admin socket back",
      async () => {
        assert.equal((await mesh.api.report()).ready, true);
        const target = { path: join(folder, `generations/1/admin.sock`) };
        assert.equal((await fetchHttp({ target, url: "/ready", timeoutMs: 1_000 })).status, 200);
        assert.ok(existsSync(join(folder, "generations/1/process.json")));
      },
      { withinMs: 10_000 },
    );
    const given = inodes();
    if (hasRoot(t)) {
      // Where pids mean something else, as in another container of the pod.
      const launcher = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];
      const third = (await mesh.mesh.sidecar("api", { launcher })).agent;
      assert.deepEqual(await third.exitWithin(10_000), { kind: "exited", code: 64 });
      assert.match(third.lines.join("\n"), /is in use by another outrider, which listens at .*agent\.sock/);
    }
    assert.deepEqual(inodes(), given);
    assert.equal((await mesh.api.report()).envoy.pid, pid);
    assert.deepEqual(await load.end(), { failed: 0 });
  });
});

function inFirst(name: string): string {
  return join("generations/1", name);
}

/** Calls one after the other until the end. */
function startLoad(mesh: Awaited<ReturnType<typeof startWebAndApi>>) {
  let failed = 0;
  const over = new AbortController();
  const calling = (async () => {
    while (!over.signal.aborted) {
      const status = await mesh.call().then(
        (response) => response.status,
        () => 0,
      );
      if (status !== 200) failed += 1;
    }
  })();
  const end = async (): Promise<{ readonly failed: number }> => {
    over.abort();
    await calling;
    return { failed };
  };
  return { end, [Symbol.asyncDispose]: async () => void (await end()) };
}
