import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { type ChildExit, spawnChild } from "../../src/process/child.ts";
import { portOwners } from "../../src/net/port-owner.ts";
import { eventually } from "../support/eventually.ts";
import { startOutrider } from "../support/outrider.ts";
import {
  childrenOf,
  initOf,
  inPidNamespace,
  leaveOrphans,
  noPidNamespace,
  zombiesOf,
} from "../support/pid-namespace.ts";
import { freePorts } from "../support/free-ports.ts";
import { get } from "../support/mesh.ts";
import { StandaloneSidecar } from "../support/standalone-sidecar.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const skip = noPidNamespace();

/** The port of Node's inspector. */
const inspectorPort = 9_229;

interface InitSidecar extends AsyncDisposable {
  readonly sidecar: StandaloneSidecar;
  /** The pid outside of the agent that is PID 1 inside. */
  readonly init: number;
}

async function startAsInit(): Promise<InitSidecar> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(temporaryFolder()).path;
  const sidecar = stack.use(await StandaloneSidecar.ready({ folder, launcher: inPidNamespace }));
  const init = initOf(sidecar.agent.pid);
  stack.defer(() => {
    // It ends the namespace: unshare itself does not react to SIGTERM.
    sidecar.agent.kill("SIGKILL");
  });
  const owned = stack.move();
  return { sidecar, init, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function answers({ trafficPort }: StandaloneSidecar): Promise<boolean> {
  return (await get(trafficPort, "/")).status === 200;
}

function send(pid: number, signals: readonly NodeJS.Signals[], times = 1): void {
  for (let count = 0; count < times; count += 1) {
    for (const signal of signals) process.kill(pid, signal);
  }
}

describe("outrider as PID 1", { skip }, () => {
  test("collects 1,000 orphans, counts them, and drains on SIGTERM", async () => {
    await using started = await startAsInit();
    const { sidecar, init } = started;
    assert.match(sidecar.agent.lines.join("\n"), /outrider starts/);
    const [envoy] = childrenOf(init);
    leaveOrphans(init, 1_000);
    // One that has not ended yet is neither a zombie nor counted.
    await eventually(
      "every orphan counted",
      async () => assert.equal(await sidecar.metric("istio_agent_orphans_reaped_total"), 1_000),
      { withinMs: 30_000 },
    );
    assert.deepEqual(zombiesOf(init), []);
    assert.deepEqual(
      childrenOf(init).map(({ pid }) => pid),
      [envoy?.pid],
      "Envoy is not the only child",
    );
    assert.ok(await answers(sidecar));

    send(init, ["SIGTERM"]);
    assert.deepEqual(await sidecar.agent.exitWithin(10_000), { kind: "exited", code: 0 });
    assert.match(sidecar.agent.lines.join("\n"), /draining Envoy.*\n[^]*Envoy stopped/);
  });

  test("notices the death of its Envoy amid orphans", async () => {
    await using started = await startAsInit();
    const { sidecar, init } = started;
    const [envoy] = childrenOf(init);
    assert.ok(envoy !== undefined);
    process.kill(envoy.pid, "SIGKILL");
    leaveOrphans(init, 100);
    await eventually("a new Envoy", () => assert.notEqual(childrenOf(init)[0]?.pid, envoy.pid), {
      withinMs: 10_000,
    });
    await sidecar.ready();
    assert.match(sidecar.agent.lines.join("\n"), /Envoy died.*killed by SIGKILL/);
    await eventually("no zombies", () => assert.deepEqual(zombiesOf(init), []), { withinMs: 5_000 });
  });

  test("reloads on SIGHUP, opens no inspector on SIGUSR1, survives a storm, and drains on SIGINT", async () => {
    await using started = await startAsInit();
    const { sidecar, init } = started;
    const output = (): string => sidecar.agent.lines.join("\n");
    send(init, ["SIGHUP"]);
    await eventually("the reload", () => assert.match(output(), /reload requested\trequests=1$/m), {
      withinMs: 2_000,
    });

    send(init, ["SIGUSR1"]);
    await eventually("the log files", () => assert.match(output(), /reopening log files requested/), {
      withinMs: 2_000,
    });
    assert.deepEqual(
      portOwners([inspectorPort]).filter(({ pid }) => pid === init),
      [],
    );
    assert.doesNotMatch(output(), /Debugger/);

    const { pid } = (await sidecar.report()).envoy;
    send(
      init,
      [
        "SIGHUP",
        "SIGUSR1",
        "SIGUSR2",
        "SIGCHLD",
        "SIGPIPE",
        "SIGCONT",
        "SIGWINCH",
        "SIGURG",
        "SIGALRM",
        "SIGIO",
      ],
      100,
    );
    assert.ok(await answers(sidecar));
    const report = await sidecar.report();
    assert.deepEqual([report.ready, report.envoy.pid, report.envoy.restarts], [true, pid, 0]);

    send(init, ["SIGINT"], 1_000);
    assert.deepEqual(await sidecar.agent.exitWithin(10_000), { kind: "exited", code: 0 });
  });
});

describe("outrider outside a PID namespace", () => {
  test("survives the same storm, where an unhandled signal would kill", async () => {
    using folder = temporaryFolder();
    await using sidecar = await StandaloneSidecar.ready({ folder: folder.path });
    const { pid } = sidecar.agent;
    send(pid, ["SIGHUP", "SIGUSR1", "SIGUSR2", "SIGCHLD", "SIGPIPE", "SIGCONT", "SIGWINCH", "SIGURG"], 125);
    assert.ok(await answers(sidecar));
    assert.equal((await sidecar.report()).ready, true);
    assert.deepEqual(
      portOwners([inspectorPort]).filter((owner) => owner.pid === pid),
      [],
    );
    send(pid, ["SIGTERM"], 1_000);
    assert.deepEqual(await sidecar.agent.exitWithin(10_000), { kind: "exited", code: 0 });
  });

  test("the control plane stops on SIGHUP", async () => {
    using folder = temporaryFolder();
    const [secure = 0, plain = 0, http = 0] = await freePorts(3);
    await using discovery = startOutrider({
      args: [
        ...["discovery", "--configDir", folder.path, "--stateDir", join(folder.path, "state")],
        ...["--secureGrpcPort", String(secure), "--grpcPort", String(plain), "--httpPort", String(http)],
      ],
    });
    await eventually("ready", async () => assert.equal((await get(http, "/ready")).status, 200), {
      withinMs: 20_000,
    });
    discovery.kill("SIGHUP");
    assert.deepEqual(await discovery.exitWithin(5_000), { kind: "exited", code: 0 });
  });
});

describe("orphans and children of one's own", { skip }, () => {
  async function runFixture(
    nodeFlags: readonly string[],
    args: readonly string[],
  ): Promise<{
    readonly exit: ChildExit;
    readonly output: readonly string[];
    readonly errors: readonly string[];
  }> {
    const [file, ...unshare] = inPidNamespace;
    const output: string[] = [];
    const errors: string[] = [];
    const program = join(import.meta.dirname, "../support/fixtures/init-with-children.ts");
    const child = spawnChild({
      file,
      args: [...unshare, process.execPath, ...nodeFlags, program, ...args],
      stdout: (line) => output.push(line),
      stderr: (line) => errors.push(line),
    });
    return { exit: await child.exited, output, errors };
  }

  test("ending in the same instant: every exit code arrives, every orphan is collected", async () => {
    const { exit, output, errors } = await runFixture([], ["250", "4"]);
    assert.deepEqual(exit, { kind: "exited", code: 0 }, errors.join("\n"));
    assert.deepEqual(JSON.parse(output.join("\n")), { pid: 1, wrong: 0, reaped: 1_000, zombies: 0 });
    assert.deepEqual(errors, []);
  });

  test("without the library for it orphans stay, one line says so, and exit codes still arrive", async () => {
    const { exit, output, errors } = await runFixture(["--no-addons"], ["20", "2"]);
    assert.deepEqual(exit, { kind: "exited", code: 0 });
    assert.deepEqual(JSON.parse(output.join("\n")), { pid: 1, wrong: 0, reaped: 0, zombies: 40 });
    assert.equal(errors.length, 1);
    assert.match(errors[0] ?? "", /cannot collect orphaned processes, which stay zombies: .*addon/i);
  });
});
