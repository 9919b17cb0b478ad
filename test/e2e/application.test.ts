import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createConnection } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { after, before, describe, test } from "node:test";
import { spawnChild } from "../../src/process/child.ts";
import { HttpServer } from "../../src/net/http-server.ts";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/free-ports.ts";
import { type SidecarChanges, startMs, TestMesh, type TestSidecar } from "../support/mesh.ts";
import { mainPath, runOutrider, startOutrider } from "../support/outrider.ts";
import { patience } from "../support/patience.ts";

const runFile = promisify(execFile);

/** Longest drain of these sidecars, in milliseconds: TestMesh's terminationDrainDuration. */
const drainMs = 1_000;

let mesh: TestMesh;
let jobs = 0;

before(async () => {
  mesh = await TestMesh.start({});
});

after(async () => {
  await mesh[Symbol.asyncDispose]();
});

interface Job {
  readonly sidecar: TestSidecar;
  /** What a container of the pod has: the sidecar's ports. */
  readonly env: Readonly<Record<string, string>>;
}

async function startJob(changes: SidecarChanges = {}): Promise<Job> {
  jobs += 1;
  const sidecar = await mesh.sidecar(`job-${jobs}`, changes);
  const { admin, status, envoyStatus } = sidecar.ports;
  const env = {
    ENVOY_STATUS_PORT: String(envoyStatus),
    PROXY_CONFIG: JSON.stringify({ statusPort: status, proxyAdminPort: admin }),
  };
  return { sidecar, env };
}

async function endsByItself(sidecar: TestSidecar): Promise<void> {
  assert.deepEqual(await sidecar.agent.exitWithin(drainMs + 2_000), { kind: "exited", code: 0 });
}

const node = (script: string): readonly string[] => ["--", process.execPath, "-e", script];

describe("outrider run", { concurrency: 3 }, () => {
  for (const [name, script, code] of [
    ["a command that succeeds", "console.log('done')", 0],
    ["a command that fails", "process.exit(3)", 3],
    ["a command that is killed", "process.kill(process.pid, 'SIGKILL')", 137],
  ] as const) {
    test(`${name}: starts once the sidecar is ready, ends with code ${code}, and the sidecar ends by itself`, async () => {
      const job = await startJob();
      const { exit, output } = await runOutrider({
        args: ["run", ...node(script)],
        env: job.env,
        withinMs: startMs + 10_000,
      });
      assert.deepEqual(exit, { kind: "exited", code });
      // Where the start takes longer than it should, the wait is told of.
      const own = output.split("\n").filter((line) => !/^(?:outrider run: waiting: .*)?$/.test(line));
      assert.deepEqual(own, code === 0 ? ["done"] : []);
      await endsByItself(job.sidecar);
      assert.ok(job.sidecar.agent.lines.some((line) => line.includes("Envoy is live")));
    });
  }

  test("passes signals on and returns what the command makes of them", async () => {
    const script =
      "for (const name of ['SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGHUP', 'SIGINT', 'SIGQUIT'])" +
      " process.on(name, () => console.log(name));" +
      "process.on('SIGTERM', () => setTimeout(() => process.exit(42), 6000)); setInterval(() => {}, 1000); console.log('up')";
    await using run = startOutrider({ args: ["run", ...anyway, ...node(script)] });
    await eventually("the command", () => assert.ok(run.lines.includes("up")), { withinMs: 10_000 });
    for (const name of ["SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGHUP", "SIGINT", "SIGINT", "SIGQUIT"] as const) {
      const before = run.lines.length;
      run.kill(name);
      await eventually(name, () => assert.deepEqual(run.lines.slice(before), [name]), {
        withinMs: 5_000,
        everyMs: 10,
      });
    }
    run.kill("SIGTERM");
    // It takes its time: nobody but the one who sent the signal may lose patience.
    assert.deepEqual(await run.exitWithin(12_000), { kind: "exited", code: 42 });
  });

  test("on a terminal the command may read from it, and gets each Ctrl-C once", async () => {
    const script =
      "let n = 0; process.on('SIGINT', () => { n += 1; console.log('got ' + n); if (n === 5) setTimeout(() => {" +
      " console.log('interrupts ' + n + ', terminal ' + process.stdin.isTTY); process.exit(7); }, 1500); });" +
      "console.log('up'); setInterval(() => {}, 1000);";
    const argv = [process.execPath, mainPath, "run", ...anyway, ...node(script)];
    const { stdout: output } = await runFile("python3", ["-c", pseudoTerminal, ...argv], {
      timeout: patience(20_000),
    });
    assert.match(output, /interrupts 5, terminal true/);
    assert.match(output, /exit code 7/);
  });

  test("without a sidecar it says so and does not run the command, unless told to", async () => {
    const [port = 0] = await freePorts(1);
    const url = `--url=http://localhost:${port}/healthz/ready`;
    const env = { PROXY_CONFIG: JSON.stringify({ statusPort: port }) };
    const refused = await runOutrider({
      args: ["run", "--timeoutSeconds=1", patient, url, ...node("console.log('ran')")],
      env,
      withinMs: 10_000,
    });
    assert.deepEqual(refused.exit, { kind: "exited", code: 255 });
    assert.doesNotMatch(refused.output, /^ran$/m);
    assert.match(refused.output, /no sidecar became ready within 1 s, .* is not run\. .*ECONNREFUSED/);

    const ran = await runOutrider({
      args: [
        "run",
        "--timeoutSeconds=0",
        "--timeoutFatal=false",
        patient,
        url,
        ...node("console.log('ran')"),
      ],
      env,
      withinMs: 10_000,
    });
    assert.deepEqual(ran.exit, { kind: "exited", code: 0 });
    assert.match(ran.output, /^ran$/m);
    assert.equal(ran.output.match(/the sidecar was not told to end/g)?.length, 1);
  });

  test("a command that cannot be run ends with a shell's codes", async () => {
    for (const [file, code] of [
      ["/no/such/command", 127],
      [mainPath, 126],
    ] as const) {
      const { exit, output } = await runOutrider({ args: ["run", ...anyway, "--", file], withinMs: 10_000 });
      assert.deepEqual(exit, { kind: "exited", code });
      assert.match(output, /could not be run/);
    }
  });
});

/** A refused connection is known as that, however long this machine takes to say so. */
const patient = "--requestTimeoutMillis=30000";

/** Do not wait for a sidecar, and tell none to end. */
const anyway = [
  "--timeoutSeconds=0",
  "--timeoutFatal=false",
  "--quitSidecar=false",
  "--url=http://127.0.0.1:9/",
];

/**
 * Runs its arguments on a terminal of their own, types Ctrl-C five times once they say "up", each once the one
 * before has come, and prints all that they print.
 */
const pseudoTerminal = `
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
seen = b""
typed = 0
while True:
    try:
        chunk = os.read(terminal, 4096)
    except OSError:
        break
    if not chunk:
        break
    seen += chunk
    if b"up" in seen and typed < 5 and typed <= seen.count(b"got "):
        os.write(terminal, b"\\x03")
        typed += 1
sys.stdout.write(seen.decode())
print("exit code", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

describe("app.sock", { concurrency: 2 }, () => {
  test("greets the application when the sidecar is ready; when it lets go, the sidecar ends with 0", async () => {
    const job = await startJob();
    const path = join(job.sidecar.folder, "etc/istio/proxy/app.sock");
    const socket = await eventually(
      "the socket",
      async () => {
        const connection = createConnection(path);
        await once(connection, "connect");
        return connection;
      },
      { withinMs: startMs },
    );
    assert.equal(String((await once(socket, "data"))[0]), "ready\n");
    assert.equal((await job.sidecar.report()).ready, true);
    socket.end();
    await endsByItself(job.sidecar);
  });

  test("an application that is killed ends the sidecar too", async () => {
    const [socketFolder, flag] = ["shared", "--appSocket=shared/app.sock"];
    const job = await startJob({ flags: [flag, "--appGrace=500ms"] });
    await job.sidecar.ready();
    const lines: string[] = [];
    const application = spawnChild({
      file: process.execPath,
      args: ["-e", "require('net').connect('app.sock').pipe(process.stdout)"],
      cwd: join(job.sidecar.folder, socketFolder),
      stdout: (line) => lines.push(line),
      stderr: "inherit",
    });
    await eventually("the greeting", () => assert.deepEqual(lines, ["ready"]), { withinMs: 5_000 });
    application.kill("SIGKILL");
    await endsByItself(job.sidecar);
    assert.ok(
      job.sidecar.agent.lines.some((line) => line.includes('stopping\treason="the application is gone"')),
    );
  });
});

describe("outrider wait", { concurrency: 3 }, () => {
  test("returns once the sidecar of this pod is ready", async () => {
    const job = await startJob();
    const { exit, output } = await runOutrider({ args: ["wait"], env: job.env, withinMs: startMs });
    assert.deepEqual(exit, { kind: "exited", code: 0 }, output);
    assert.equal((await job.sidecar.report()).ready, true);
  });

  test("fails in time, with the last error", async () => {
    const [port = 0] = await freePorts(1);
    const { exit, output } = await runOutrider({
      args: ["wait", "--timeoutSeconds=1", "--periodMillis=100", patient],
      env: { ENVOY_STATUS_PORT: String(port) },
      withinMs: 5_000,
    });
    assert.deepEqual(exit, { kind: "exited", code: 255 });
    assert.match(
      output,
      new RegExp(
        `^timeout waiting for Envoy proxy to become ready\\. Last error: .*localhost:${port}.*ECONNREFUSED`,
        "m",
      ),
    );
    assert.match(output, new RegExp(`^waiting: .*localhost:${port}.*ECONNREFUSED`));
    assert.equal(output.split("waiting: ").length, 2, "each reason is told once");
  });

  test("is ended by a signal as others are", async () => {
    let asked = 0;
    await using server = await HttpServer.listen({ host: "127.0.0.1", port: 0 }, (_request, response) => {
      asked += 1;
      response.writeHead(503).end();
    });
    await using wait = startOutrider({ args: ["wait", `--url=http://127.0.0.1:${server.port}/`] });
    await eventually("a second try", () => assert.ok(asked >= 2), { withinMs: 10_000 });
    wait.kill("SIGTERM");
    assert.deepEqual(await wait.exitWithin(2_000), { kind: "exited", code: 143 });
  });
});

describe("outrider request", () => {
  test("prints the body and nothing else, and fails as pilot-agent does", async () => {
    const job = await startJob();
    await job.sidecar.ready();
    const request = (...args: readonly string[]): ReturnType<typeof runOutrider> =>
      runOutrider({ args: ["request", ...args], env: job.env, withinMs: 15_000 });
    const { status } = job.sidecar.ports;

    const info = await request("GET", "/server_info");
    assert.equal((JSON.parse(info.output) as { state: string }).state, "LIVE");
    const missing = await request("GET", "no/such/path");
    assert.deepEqual(missing.exit, { kind: "exited", code: 0 }, "404 is an answer");
    const refused = await request("GET", "quitquitquit");
    assert.deepEqual(refused, {
      exit: { kind: "exited", code: 255 },
      output: "received unsuccessful status code 405: Method Not Allowed\n",
    });
    const elsewhere = await request("GET", "x", "--debug-port=22");
    assert.deepEqual(elsewhere.exit, { kind: "exited", code: 255 });
    assert.match(
      elsewhere.output,
      /^debug port 22 is not in allowed list \[15000 15004 15020 15021 \d+ \d+ \d+\]$/,
    );
    assert.deepEqual(await request("POST", "drain", `--debug-port=${status}`), {
      exit: { kind: "exited", code: 0 },
      output: "OK",
    });
  });
});
