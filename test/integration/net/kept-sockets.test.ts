import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, test } from "node:test";
import { claimFolder } from "../../../src/net/folder-claim.ts";
import { KeptSockets } from "../../../src/net/kept-sockets.ts";
import { spawnChild } from "../../../src/process/child.ts";
import { findListener, prepareSocketPath } from "../../../src/net/unix-socket.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

async function listening(
  path: string,
  serve = (socket: Socket): unknown => socket.destroy(),
): Promise<AsyncDisposable> {
  const server = createServer({ allowHalfOpen: true }, serve);
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
      }),
  };
}

describe("KeptSockets", () => {
  for (const [name, lose] of [
    ["removed", (path: string) => rmSync(path)],
    ["renamed", (path: string) => renameSync(path, `${path}.moved`)],
    ["removed with its folder", (path: string) => rmSync(join(path, ".."), { recursive: true })],
    [
      "replaced by a file",
      (path: string) => {
        rmSync(path);
        writeFileSync(path, "");
      },
    ],
  ] as const) {
    test(`a socket that was ${name} is reached by its name again, as often as it happens`, async () => {
      using folder = temporaryFolder();
      mkdirSync(join(folder.path, "in"));
      const path = join(folder.path, "in/a.sock");
      await using _ = await listening(path);
      chmodSync(path, 0o660);
      chmodSync(join(folder.path, "in"), 0o751);
      using sockets = new KeptSockets();
      assert.deepEqual(await sockets.look([path]), []);
      for (let time = 0; time < 3; time += 1) {
        lose(path);
        assert.equal(await findListener(path, 1_000), "nobody");
        assert.deepEqual(await sockets.look([path]), [{ path, error: undefined }]);
        assert.equal(await findListener(path, 1_000), "listens");
        assert.deepEqual(await sockets.look([path]), []);
        // Whoever may use it, from whatever container, is whoever could before.
        assert.ok(lstatSync(path).isSocket());
        assert.equal(lstatSync(path).mode & 0o777, 0o660);
        assert.equal(lstatSync(join(folder.path, "in")).mode & 0o777, 0o751);
      }
    });
  }

  test("whoever connects to it again talks to the one who listens, in both directions, to the end of each", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "a.sock");
    const megabyte = "x".repeat(1_048_576);
    const open = new Set<Socket>();
    await using _ = await listening(path, (socket) => {
      open.add(socket);
      socket.on("close", () => open.delete(socket)).on("error", () => undefined);
      // It answers once it has heard all, and goes on when the other has nothing more to say.
      text(socket).then(
        (heard) => socket.end(`${heard.length} ${megabyte}`),
        () => undefined,
      );
    });
    using sockets = new KeptSockets();
    await sockets.look([path]);
    rmSync(path);
    await sockets.look([path]);
    const client = connect({ path, allowHalfOpen: true });
    client.write("y");
    await eventually("its connection", () => assert.equal(open.size, 1), { withinMs: 5_000 });
    // Who is connected stays so when the name is lost once more.
    rmSync(path);
    await sockets.look([path]);
    client.end(megabyte);
    assert.equal(await text(client), `1048577 ${megabyte}`);
    await eventually("its end", () => assert.equal(open.size, 0), { withinMs: 5_000 });
    const killed = connect(path);
    killed.write("half");
    await eventually("its connection", () => assert.equal(open.size, 1), { withinMs: 5_000 });
    killed.destroy();
    await eventually("the end of its connection", () => assert.equal(open.size, 0), { withinMs: 5_000 });
  });

  test("a folder whose sign was removed stays claimed", async () => {
    using folder = temporaryFolder();
    const first = await claimFolder(folder.path, "agent.sock");
    assert.ok(first.kind === "ours");
    await using claim = first.claim;
    using sockets = new KeptSockets();
    await sockets.look([claim.socketPath]);
    rmSync(claim.socketPath);
    await sockets.look([claim.socketPath]);
    assert.equal((await claimFolder(folder.path, "agent.sock")).kind, "taken");
  });

  test("what is left of a process that was killed is in nobody's way", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "a.sock");
    const module = join(import.meta.dirname, "../../../src/net/kept-sockets.ts");
    const script =
      `import { KeptSockets } from ${JSON.stringify(module)}; import { createServer } from "node:net";` +
      `import { rmSync } from "node:fs"; const path = ${JSON.stringify(path)}; const sockets = new KeptSockets();` +
      "createServer().listen(path, async () => { await sockets.look([path]); rmSync(path); await sockets.look([path]);" +
      'process.kill(process.pid, "SIGKILL"); });';
    const killed = spawnChild({
      file: process.execPath,
      args: ["--input-type=module", "-e", script],
      stdout: "ignore",
      stderr: "inherit",
    });
    assert.deepEqual(await killed.exited, { kind: "signaled", signal: "SIGKILL" });
    assert.deepEqual(readdirSync(folder.path), ["a.sock"]);
    await prepareSocketPath(path);
    assert.deepEqual(readdirSync(folder.path), []);
  });

  test("lets go of what is not wanted, holds what comes, and leaves no name and no descriptor", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "a.sock");
    const descriptors = (): number => readdirSync("/proc/self/fd").length;
    const before = descriptors();
    const sockets = new KeptSockets();
    assert.deepEqual(await sockets.look([path]), []);
    {
      await using _ = await listening(path);
      await sockets.look([path]);
      rmSync(path);
      await sockets.look([path]);
      assert.ok(existsSync(path));
      await sockets.look([]);
      assert.equal(existsSync(path), false);
      sockets[Symbol.dispose]();
    }
    assert.equal(descriptors(), before);
    const held = new KeptSockets();
    await using _ = await listening(join(folder.path, "b.sock"));
    await held.look([join(folder.path, "b.sock")]);
    rmSync(join(folder.path, "b.sock"));
    await held.look([join(folder.path, "b.sock")]);
    held[Symbol.dispose]();
    assert.equal(existsSync(join(folder.path, "b.sock")), false);
  });
});
