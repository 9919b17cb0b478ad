/** Sockets that somebody removes while the agent rests. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { keepSockets, SocketLosses } from "../../../src/agent/keep-sockets.ts";
import { sleep } from "../../../src/lifecycle/sleep.ts";
import { TaskGroup } from "../../../src/lifecycle/task-group.ts";
import { Metrics } from "../../../src/telemetry/metrics.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { testLog } from "../../support/test-log.ts";

/** Less than until the look that comes without a notice. */
const withinMs = 10_000;

async function answers(path: string): Promise<void> {
  const socket = connect(path);
  try {
    assert.equal(String((await once(socket, "data"))[0]), "it");
  } finally {
    socket.destroy();
  }
}

test("a removed socket is given back its name as soon as the kernel tells, and so is its folder", async () => {
  using folder = temporaryFolder();
  const paths = ["sds/socket", "proxy/XDS", "proxy/agent.sock"].map((name) => join(folder.path, name));
  const [sds = "", xds = "", claimPath = ""] = paths;
  await using stack = new AsyncDisposableStack();
  for (const path of paths) {
    mkdirSync(dirname(path), { recursive: true });
    const server = createServer((socket) => socket.on("error", () => undefined).end("it"));
    stack.use(server).listen(path);
    await once(server, "listening");
  }
  const { log, lines } = testLog();
  const metrics = new Metrics("istio_agent_");
  const config = { sds: { path: sds }, xds: { path: xds } } as Parameters<typeof keepSockets>[0];
  const kept = { claimPath, supervisor: undefined, losses: new SocketLosses(metrics), log };
  const tasks = stack.use(new TaskGroup());
  tasks.spawn("keep-sockets", (signal) => keepSockets(config, kept, signal));
  // What is removed before it is held is lost.
  await sleep(500);
  for (const removed of [xds, dirname(sds), xds, dirname(xds)]) {
    rmSync(removed, { recursive: true });
    for (const path of paths)
      await eventually(`${path} after ${removed}`, () => answers(path), { withinMs, everyMs: 20 });
  }
  assert.match(lines.join("\n"), /socket was removed by somebody, given back its name/);
  assert.match(await metrics.render(), /outrider_sockets_removed_total 5\n/);
});
