import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { IdentityState } from "../../../src/identity/identity-state.ts";
import { outputCerts, type OutputCertsOptions } from "../../../src/identity/output-certs.ts";
import type { WorkloadSecret } from "../../../src/identity/workload-secret.ts";
import { sleep } from "../../../src/lifecycle/sleep.ts";
import { TaskGroup } from "../../../src/lifecycle/task-group.ts";
import { Watch } from "../../../src/lifecycle/watch.ts";
import { Metrics } from "../../../src/telemetry/metrics.ts";
import { eventually } from "../../support/eventually.ts";
import { hasRoot } from "../../support/privilege.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { testLog } from "../../support/test-log.ts";

function secretNumber(number: number): WorkloadSecret {
  return {
    certificateChainPem: `chain ${number}\n`,
    privateKeyPem: `PRIVATE ${number}\n`,
    rootPem: "root",
    notBefore: new Date(0),
    notAfter: new Date(1),
    spiffeId: "spiffe://cluster.local/web",
    serial: String(number),
  };
}

interface Running extends AsyncDisposable {
  readonly state: Watch<IdentityState>;
  readonly lines: readonly string[];
}

function run(options: OutputCertsOptions): Running {
  const state = new Watch<IdentityState>({ secret: secretNumber(1) });
  const { log, lines } = testLog();
  const tasks = new TaskGroup();
  tasks.spawn("output", (signal) =>
    outputCerts(options, state, { log, metrics: new Metrics("istio_agent_") }, signal),
  );
  return { state, lines, [Symbol.asyncDispose]: () => tasks[Symbol.asyncDispose]() };
}

const withinMs = 5_000;

describe("OUTPUT_CERTS", () => {
  test("makes the folder and has the files at once and after each rotation, whole and private", async () => {
    using temporary = temporaryFolder();
    const folder = join(temporary.path, "made", "here");
    await using running = run({ folder, mode: 0o600, onRotate: undefined });
    const chain = join(folder, "cert-chain.pem");
    await eventually("the first", () => assert.equal(readFileSync(chain, "utf8"), "chain 1\n"), { withinMs });
    assert.equal(readFileSync(join(folder, "root-cert.pem"), "utf8"), "root");
    assert.equal(statSync(join(folder, "key.pem")).mode & 0o777, 0o600);
    const root = statSync(join(folder, "root-cert.pem"));
    const inode = statSync(chain).ino;

    running.state.set({ secret: secretNumber(2) });
    await eventually("the next", () => assert.equal(readFileSync(chain, "utf8"), "chain 2\n"), { withinMs });
    assert.equal(readFileSync(join(folder, "key.pem"), "utf8"), "PRIVATE 2\n");
    assert.notEqual(statSync(chain).ino, inode, "another file was renamed into place");
    assert.equal(statSync(join(folder, "root-cert.pem")).ino, root.ino, "what did not change stays");
    assert.doesNotMatch(running.lines.join("\n"), /PRIVATE/);
  });

  test("replaces what another user has laid at its names, with the same content too", async (t) => {
    if (!hasRoot(t)) return;
    using temporary = temporaryFolder();
    const at = (name: string): string => join(temporary.path, name);
    for (const [name, content] of [
      ["key.pem", ""],
      ["root-cert.pem", "root"],
    ] as const) {
      writeFileSync(at(name), content);
      chmodSync(at(name), 0o666);
      chownSync(at(name), 12_345, 12_345);
    }
    writeFileSync(at("victim"), "untouched");
    symlinkSync(at("victim"), at("cert-chain.pem"));
    await using _ = run({ folder: temporary.path, mode: 0o600, onRotate: undefined });
    await eventually(
      "the files",
      () => assert.equal(readFileSync(at("cert-chain.pem"), "utf8"), "chain 1\n"),
      {
        withinMs,
      },
    );
    for (const name of ["key.pem", "cert-chain.pem", "root-cert.pem"]) {
      const { mode, uid } = lstatSync(at(name));
      assert.deepEqual([mode, uid], [0o100600, process.geteuid?.()], name);
    }
    assert.equal(readFileSync(at("victim"), "utf8"), "untouched");
  });

  test("says why it cannot write, and does not end the agent", async () => {
    using temporary = temporaryFolder();
    const file = join(temporary.path, "file");
    writeFileSync(file, "");
    await using running = run({ folder: join(file, "below"), mode: 0o600, onRotate: undefined });
    await eventually(
      "the warning",
      () => assert.match(running.lines.join("\n"), /is not written; trying again.*ENOTDIR.*OUTPUT_CERTS/),
      { withinMs },
    );
  });
});

describe("--onRotate", () => {
  test("runs after the files are written, at the first certificate and at each rotation", async () => {
    using temporary = temporaryFolder();
    const folder = join(temporary.path, "certs");
    mkdirSync(folder);
    const script = join(temporary.path, "reload");
    const seen = join(temporary.path, "seen");
    writeFileSync(script, `#!/bin/sh\ncat ${folder}/cert-chain.pem >> $1\n`);
    chmodSync(script, 0o755);
    await using running = run({
      folder,
      mode: 0o600,
      onRotate: { kind: "command", file: script, args: [seen] },
    });
    await eventually("the first", () => assert.equal(readFileSync(seen, "utf8"), "chain 1\n"), { withinMs });
    running.state.set({ secret: secretNumber(2) });
    await eventually("the next", () => assert.equal(readFileSync(seen, "utf8"), "chain 1\nchain 2\n"), {
      withinMs,
    });
    // A problem with the same certificate is no rotation.
    running.state.set({ ...running.state.current, problem: { code: "CA_UNAVAILABLE", message: "down" } });
    await sleep(500);
    assert.equal(readFileSync(seen, "utf8"), "chain 1\nchain 2\n");
    rmSync(seen);
    running.state.set({ secret: secretNumber(3) });
    await eventually("the third", () => assert.equal(readFileSync(seen, "utf8"), "chain 3\n"), { withinMs });
  });

  test("a command that fails, or that there is not, is a warning with its output", async () => {
    for (const [file, args, expected] of [
      ["/bin/sh", ["-c", "echo no such service; exit 3"], /failed.*exit code 3.*no such service/],
      ["/nowhere/reload", [], /failed.*ENOENT/],
    ] as const) {
      await using running = run({
        folder: undefined,
        mode: 0o600,
        onRotate: { kind: "command", file, args },
      });
      await eventually("the warning", () => assert.match(running.lines.join("\n"), expected), { withinMs });
    }
    assert.equal(existsSync("/nowhere"), false);
  });

  test("sends a signal to whom the pid file names, and warns where that is nobody", async () => {
    using temporary = temporaryFolder();
    const pidFile = join(temporary.path, "app.pid");
    const onRotate = { kind: "signal", signal: "SIGHUP", pidFile } as const;
    let signals = 0;
    const count = (): void => {
      signals += 1;
    };
    process.on("SIGHUP", count);
    try {
      await using running = run({ folder: undefined, mode: 0o600, onRotate });
      const warned = (pattern: RegExp): Promise<void> =>
        eventually("the warning", () => assert.match(running.lines.join("\n"), pattern), { withinMs });
      await warned(/was not told of a rotation.*ENOENT/);
      // A number that would mean every process of the group.
      writeFileSync(pidFile, "0\n");
      running.state.set({ secret: secretNumber(2) });
      await warned(/was not told of a rotation.*no process number/);
      assert.equal(signals, 0);
      writeFileSync(pidFile, `${process.pid}\n`);
      if (process.geteuid?.() === 0) {
        chownSync(pidFile, 12_345, 12_345);
        running.state.set({ secret: secretNumber(7) });
        await eventually(
          "the refusal",
          () =>
            assert.match(running.lines.join("\n"), /user 12345 has written it, and process \d+ is of user 0/),
          { withinMs },
        );
        assert.equal(signals, 0);
        chownSync(pidFile, 0, 0);
      }
      running.state.set({ secret: secretNumber(3) });
      await eventually("the signal", () => assert.equal(signals, 1), { withinMs });
    } finally {
      process.off("SIGHUP", count);
    }
  });
});
