import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import { createConnection, type Socket } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { once } from "node:events";
import { ApplicationSocket } from "../../../src/application/socket.ts";
import { spawnChild } from "../../../src/process/child.ts";
import { aborted, sleep } from "../../../src/lifecycle/sleep.ts";
import { TaskGroup } from "../../../src/lifecycle/task-group.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { testLog } from "../../support/test-log.ts";

const graceMs = 300;

interface Started extends AsyncDisposable {
  readonly path: string;
  readonly tasks: TaskGroup;
  readonly application: ApplicationSocket;
  readonly becomeReady: () => void;
}

async function start(): Promise<Started> {
  await using stack = new AsyncDisposableStack();
  const path = join(stack.use(temporaryFolder()).path, "shared/app.sock");
  const tasks = stack.use(new TaskGroup());
  const { promise: ready, resolve: becomeReady } = Promise.withResolvers<undefined>();
  const application = stack.use(
    await ApplicationSocket.listen(
      { path, mode: 0o666, graceMs },
      {
        ready: async (signal) => {
          await Promise.race([ready, aborted(signal)]);
        },
        log: testLog().log,
        tasks,
      },
    ),
  );
  const owned = stack.move();
  return {
    path,
    tasks,
    application,
    becomeReady: () => {
      becomeReady(undefined);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function hold(path: string): Promise<Socket> {
  const socket = createConnection(path);
  await once(socket, "connect");
  return socket;
}

/** Milliseconds until the application counts as gone. */
async function goneAfter(application: ApplicationSocket): Promise<number> {
  const startedAt = performance.now();
  await Promise.race([aborted(application.gone), sleep(30_000)]);
  assert.ok(application.gone.aborted, "it does not count as gone");
  return performance.now() - startedAt;
}

describe("app.sock", () => {
  test("is open to other users, and its folder lets them through", async () => {
    await using started = await start();
    assert.equal(statSync(started.path).mode & 0o777, 0o666);
    assert.equal(statSync(join(started.path, "..")).mode & 0o777, 0o755);
  });

  test("says nothing while nobody has held it", async () => {
    await using started = await start();
    await sleep(2 * graceMs);
    assert.equal(started.application.gone.aborted, false);
  });

  test("tells of the end when the last of its holders lets go, after the grace time", async () => {
    await using started = await start();
    const [first, second] = [await hold(started.path), await hold(started.path)];
    first.destroy();
    await sleep(2 * graceMs);
    assert.equal(started.application.gone.aborted, false, "one still holds it");
    second.end();
    const tookMs = await goneAfter(started.application);
    assert.ok(tookMs >= graceMs - 20, `took ${tookMs} ms`);
  });

  test("does not say that the sidecar is ready when a part of the agent fails before it is", async () => {
    await using started = await start();
    const socket = await hold(started.path);
    let heard = "";
    socket.on("data", (bytes: Buffer) => {
      heard += bytes.toString("utf8");
    });
    started.tasks.spawn("part", () => Promise.reject(new Error("fails")));
    await aborted(started.tasks.signal);
    await sleep(graceMs / 3);
    assert.equal(heard, "");
    socket.destroy();
  });

  test("an application that comes back in time is not gone", async () => {
    await using started = await start();
    (await hold(started.path)).destroy();
    await sleep(graceMs / 3);
    const socket = await hold(started.path);
    await sleep(2 * graceMs);
    assert.equal(started.application.gone.aborted, false);
    socket.destroy();
    await goneAfter(started.application);
  });

  test("a holder that is killed has let go", async () => {
    await using started = await start();
    const child = spawnChild({
      file: process.execPath,
      args: ["-e", `require("net").connect(${JSON.stringify(started.path)}).on("data", () => {})`],
      stdout: "inherit",
      stderr: "inherit",
    });
    started.becomeReady();
    await sleep(600);
    assert.equal(started.application.gone.aborted, false);
    child.kill("SIGKILL");
    await goneAfter(started.application);
  });

  test("writes one line once the sidecar is ready, whatever is written to it", async () => {
    await using started = await start();
    const socket = await hold(started.path);
    let received = "";
    socket.on("data", (chunk) => {
      received += String(chunk);
    });
    socket.write("x".repeat(100_000));
    await sleep(100);
    assert.equal(received, "");
    started.becomeReady();
    await once(socket, "data");
    const late = await hold(started.path);
    assert.equal(String((await once(late, "data"))[0]), "ready\n");
    assert.equal(received, "ready\n");
    socket.destroy();
    late.destroy();
  });

  test("is gone when the agent is, and a holder does not keep it", async () => {
    const started = await start();
    const socket = await hold(started.path);
    const closed = once(socket, "close");
    await started[Symbol.asyncDispose]();
    await closed;
    assert.equal(existsSync(started.path), false);
    assert.equal(started.application.gone.aborted, false);
  });
});
