import assert from "node:assert/strict";
import { chmodSync, readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { spawnChild } from "../../../src/process/child.ts";
import { claimFolder } from "../../../src/net/folder-claim.ts";
import { prepareSocketPath, SocketPathError } from "../../../src/net/unix-socket.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const name = "agent.sock";

describe("claimFolder()", () => {
  test("gives a folder to one at a time, and to the next when that one is done", async () => {
    using folder = temporaryFolder();
    for (let time = 0; time < 3; time += 1) {
      const first = await claimFolder(folder.path, name);
      assert.equal(first.kind, "ours");
      const second = await claimFolder(folder.path, name);
      assert.deepEqual(second, { kind: "taken", socketPath: join(folder.path, name) });
      assert.deepEqual(readdirSync(folder.path), [name]);
      if (first.kind === "ours") await first.claim[Symbol.asyncDispose]();
      assert.deepEqual(readdirSync(folder.path), []);
    }
  });

  test("of many in the same moment one gets it", async () => {
    using folder = temporaryFolder();
    const claims = await Promise.all(Array.from({ length: 20 }, () => claimFolder(folder.path, name)));
    const ours = claims.filter(({ kind }) => kind === "ours");
    assert.equal(ours.length, 1);
    assert.deepEqual(readdirSync(folder.path), [name]);
    for (const claim of ours) if (claim.kind === "ours") await claim.claim[Symbol.asyncDispose]();
  });

  test("is free again when its owner was killed", async () => {
    using folder = temporaryFolder();
    const module = join(import.meta.dirname, "../../../src/net/folder-claim.ts");
    const script =
      `import { claimFolder } from ${JSON.stringify(module)};` +
      `await claimFolder(${JSON.stringify(folder.path)}, ${JSON.stringify(name)}); setInterval(() => {}, 1e6);`;
    const owner = spawnChild({
      file: process.execPath,
      args: ["--input-type=module", "-e", script],
      stdout: "ignore",
      stderr: "inherit",
    });
    await eventually("claimed", () => assert.ok(readdirSync(folder.path).includes(name)), {
      withinMs: 10_000,
    });
    assert.equal((await claimFolder(folder.path, name)).kind, "taken");
    owner.kill("SIGKILL");
    await owner.exited;
    const next = await claimFolder(folder.path, name);
    assert.equal(next.kind, "ours");
    if (next.kind === "ours") await next.claim[Symbol.asyncDispose]();
  });
});

describe("prepareSocketPath()", () => {
  test("removes a socket that nobody listens at, and leaves one that somebody has, and what is no socket", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "a.sock");
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path, resolve));
    await assert.rejects(prepareSocketPath(path), (error) => {
      assert.ok(error instanceof SocketPathError);
      assert.match(error.message, /a\.sock is in use: another process listens there/);
      return true;
    });
    assert.deepEqual(readdirSync(folder.path), ["a.sock"]);
    server.close();
    const file = join(folder.path, "file");
    writeFileSync(file, "theirs");
    chmodSync(file, 0o666);
    await assert.rejects(prepareSocketPath(file), /is not a socket/);
  });
});
