import assert from "node:assert/strict";
import { existsSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { KeptSockets } from "../../../src/net/kept-sockets.ts";
import { findListener } from "../../../src/net/unix-socket.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

async function listening(path: string): Promise<AsyncDisposable> {
  const server = createServer((socket) => socket.destroy());
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
      using sockets = new KeptSockets();
      assert.deepEqual(sockets.look([path]), []);
      for (let time = 0; time < 3; time += 1) {
        lose(path);
        assert.equal(await findListener(path, 1_000), "nobody");
        assert.deepEqual(sockets.look([path]), [{ path, error: undefined }]);
        assert.equal(await findListener(path, 1_000), "listens");
        assert.deepEqual(sockets.look([path]), []);
      }
    });
  }

  test("lets go of what is not wanted, holds what comes, and leaves no link and no descriptor", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "a.sock");
    const descriptors = (): number => readdirSync("/proc/self/fd").length;
    const before = descriptors();
    const sockets = new KeptSockets();
    assert.deepEqual(sockets.look([path]), []);
    {
      await using _ = await listening(path);
      sockets.look([path]);
      rmSync(path);
      sockets.look([path]);
      assert.ok(lstatSync(path).isSymbolicLink());
      sockets.look([]);
      sockets[Symbol.dispose]();
    }
    assert.equal(descriptors(), before);
    const held = new KeptSockets();
    await using _ = await listening(join(folder.path, "b.sock"));
    held.look([join(folder.path, "b.sock")]);
    rmSync(join(folder.path, "b.sock"));
    held.look([join(folder.path, "b.sock")]);
    held[Symbol.dispose]();
    assert.equal(existsSync(join(folder.path, "b.sock")), false);
  });
});
