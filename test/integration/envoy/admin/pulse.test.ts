import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { AdminPulse } from "../../../../src/envoy/admin/pulse.ts";
import { eventually } from "../../../support/eventually.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";

/** On a machine that has other work. */
const patienceMs = 10_000;
const good = "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n9";

/** An admin socket that does with each question what a test wants. */
async function admin(answer: (socket: Socket) => void) {
  const folder = temporaryFolder();
  const path = join(folder.path, "admin.sock");
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      assert.match(data.toString("latin1"), /^GET \/hot_restart_version HTTP\/1\.1\r\n/);
      answer(socket);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(path, resolve);
  });
  const pulse = new AdminPulse(path);
  return {
    pulse,
    sockets,
    async [Symbol.asyncDispose]() {
      pulse[Symbol.dispose]();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => {
        server.close(resolve);
      });
      folder[Symbol.dispose]();
    },
  };
}

test("one connection serves all questions", async () => {
  await using envoy = await admin((socket) => socket.write(good));
  for (let time = 0; time < 3; time += 1) assert.equal(await envoy.pulse.beats(patienceMs), true);
  assert.equal(envoy.sockets.length, 1);
});

test("a connection that the other side has closed is replaced, with no beat missed", async () => {
  await using envoy = await admin((socket) => socket.end(good));
  for (let time = 0; time < 3; time += 1) {
    assert.equal(await envoy.pulse.beats(patienceMs), true);
    await eventually("the end", () => assert.equal(envoy.sockets[time]?.destroyed, true), {
      withinMs: patienceMs,
    });
  }
  assert.equal(envoy.sockets.length, 3);
});

test("a late answer is none, and not taken for the next one either", async () => {
  // By connection: on a machine that has other work the first question may be given up before it is read.
  await using envoy = await admin((socket) => {
    if (socket !== envoy.sockets[0]) socket.write(good);
  });
  assert.equal(await envoy.pulse.beats(50), false);
  envoy.sockets[0]?.write(good);
  assert.equal(await envoy.pulse.beats(patienceMs), true);
  assert.equal(envoy.sockets.length, 2);
});

test("an error is no beat, nor is a socket where nobody listens", async () => {
  await using envoy = await admin((socket) => socket.write("HTTP/1.1 503 Service Unavailable\r\n\r\n"));
  assert.equal(await envoy.pulse.beats(patienceMs), false);
  using nobody = new AdminPulse("/nonexistent/admin.sock");
  assert.equal(await nobody.beats(patienceMs), false);
});

test("a question that is open when the pulse is disposed ends without a beat", async () => {
  await using envoy = await admin(() => undefined);
  const beat = envoy.pulse.beats(patienceMs);
  envoy.pulse[Symbol.dispose]();
  assert.equal(await beat, false);
});
