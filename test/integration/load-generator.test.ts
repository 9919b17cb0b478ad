/** Every kind of loss that the zero of other tests depends on is seen, and named, by the load generator. */
import assert from "node:assert/strict";
import { createServer as createHttp2Server } from "node:http2";
import { createServer, type Server, type Socket } from "node:net";
import { describe, test } from "node:test";
import { sleep } from "../../src/lifecycle/sleep.ts";
import type { ClientKind } from "../support/load/options.ts";
import { type LoadGenerator, type LoadResult, startLoadGenerator } from "../support/load/generator.ts";

const good = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

async function listen(server: Pick<Server, "listen" | "address">): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

function start(port: number, kind: ClientKind): Promise<LoadGenerator> {
  return startLoadGenerator({ port, groups: [{ kind, clients: 1, perSecond: 100 }], timeoutMs: 300 });
}

/** Load on a server that answers well until `misbehave`, which is what the failures are about. */
async function loadOn(
  kind: ClientKind,
  misbehave: (socket: Socket, server: Server, requests: number) => void,
): Promise<LoadResult> {
  let isBad = false;
  const server = createServer((socket) => {
    let requests = 0;
    socket.on("error", () => undefined);
    socket.on("data", () => {
      requests += 1;
      if (isBad) misbehave(socket, server, requests);
      else socket.write(good);
    });
  });
  const port = await listen(server);
  try {
    await using load = await start(port, kind);
    isBad = true;
    await sleep(500);
    return await load.stop();
  } finally {
    server.close();
  }
}

const cases: readonly {
  readonly name: string;
  readonly kind: ClientKind;
  readonly phase: string;
  readonly misbehave: (socket: Socket, server: Server, requests: number) => void;
}[] = [
  {
    name: "a reset before the answer",
    kind: "http1-new",
    phase: "before-response",
    misbehave: (socket) => socket.resetAndDestroy(),
  },
  {
    name: "an end before the answer",
    kind: "http1-new",
    phase: "before-response",
    misbehave: (socket) => socket.end(),
  },
  {
    name: "a reset on a connection that was used before",
    kind: "http1-keep-alive",
    phase: "keep-alive-race",
    misbehave: (socket, _server, requests) => {
      if (requests > 1) socket.resetAndDestroy();
      else socket.write(good);
    },
  },
  {
    name: "a reset within the answer",
    kind: "http1-keep-alive",
    phase: "mid-response",
    misbehave: (socket) => {
      socket.write(good.slice(0, -1));
      setTimeout(() => socket.resetAndDestroy(), 20);
    },
  },
  {
    name: "a status of 503",
    kind: "http1-keep-alive",
    phase: "status",
    misbehave: (socket) => socket.write("HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n"),
  },
  { name: "silence", kind: "http1-new", phase: "timeout", misbehave: () => undefined },
  {
    name: "a refused connection",
    kind: "http1-new",
    phase: "connect",
    misbehave: (socket, server) => {
      server.close();
      socket.end(good);
    },
  },
];

describe("the load generator", { concurrency: 4 }, () => {
  for (const { name, kind, phase, misbehave } of cases) {
    test(`counts ${name} as "${phase}"`, async () => {
      const result = await loadOn(kind, misbehave);
      assert.ok(result.ok > 0);
      const lost = phase === "keep-alive-race" ? result.raced : result.failures;
      assert.deepEqual(new Set(lost.map((failure) => failure.phase)), new Set([phase]));
      assert.equal(result.raced.length + result.failures.length, lost.length);
      assert.equal(result.total, result.ok + lost.length);
    });
  }

  test("sends nothing on an HTTP/1.1 connection that was announced to close", async () => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => {
        socket.write(good.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n"));
        socket.on("data", () => socket.resetAndDestroy());
      });
    });
    const port = await listen(server);
    await using load = await start(port, "http1-keep-alive");
    await sleep(300);
    const result = await load.stop();
    server.close();
    assert.deepEqual([...result.failures, ...result.raced], []);
    assert.ok(result.ok > 10);
  });

  test("obeys an HTTP/2 GOAWAY, and counts a stream that was cut as a failure", async () => {
    let isBad = false;
    const server = createHttp2Server();
    server.on("session", (session) => {
      session.on("error", () => undefined);
      if (!isBad) setTimeout(() => session.close(), 60);
    });
    server.on("stream", (stream) => {
      stream.on("error", () => undefined);
      if (isBad) stream.session?.destroy();
      else setTimeout(() => stream.respond({ ":status": 204 }, { endStream: true }), 10);
    });
    const port = await listen(server);
    await using load = await start(port, "http2-keep-alive");
    await sleep(500);
    assert.deepEqual(load.failures, []);
    isBad = true;
    await sleep(300);
    const result = await load.stop();
    server.close();
    assert.deepEqual(new Set(result.failures.map(({ phase }) => phase)), new Set(["before-response"]));
  });
});
