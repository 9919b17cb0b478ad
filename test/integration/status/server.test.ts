/** Who may ask the status port for what. */
import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { Agent, type IncomingMessage, request as httpRequest } from "node:http";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { Readable } from "node:stream";
import { describe, test } from "node:test";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { statusRoutes } from "../../../src/agent/status-routes.ts";
import { type Answer, type Asked, type Route, text } from "../../../src/status/contract/route.ts";
import { listenForStatus } from "../../../src/status/server.ts";
import { Redactor } from "../../../src/telemetry/redactor.ts";
import { scrapeAt } from "../../support/scrape-port.ts";
import { bareRequest, holdOpen, sendRaw, statusOf } from "../../support/raw-http.ts";
import { statusParts } from "../../support/status-parts.ts";
import { testLog } from "../../support/test-log.ts";

async function withStatus(
  run: (port: number, called: readonly string[]) => Promise<void>,
  metricsLocalOnly = false,
): Promise<void> {
  const called: string[] = [];
  const parts = statusParts();
  const noted = <Result>(what: string, call: () => Result) => {
    return (): Result => {
      called.push(what);
      return call();
    };
  };
  await using server = await listenForStatus(
    { host: "0.0.0.0", port: 0, metricsLocalOnly },
    statusRoutes,
    {
      ...parts,
      probeApplication: () => Promise.resolve(text(200, "")),
      report: noted("report", parts.report),
      reload: noted("reload", parts.reload),
      drain: noted("drain", parts.drain),
      quit: noted("quit", parts.quit),
    },
    { log: testLog().log, redactor: new Redactor() },
  );
  await run(server.port, called);
}

/** Status of a request that comes from `localAddress` to the same one. */
function statusFrom(localAddress: string, port: number, method: string, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: localAddress, port, localAddress, method, path, agent: false },
      (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      },
    );
    request.on("error", reject);
    request.end();
  });
}

describe("the status port", () => {
  // What Envoy's captured inbound traffic comes from, and other addresses of the network 127.0.0.0/8.
  for (const address of ["127.0.0.6", "127.0.0.2", "127.255.255.254"]) {
    test(`takes ${address} for no loopback on any endpoint`, async () => {
      await withStatus(async (port, called) => {
        for (const { path, method, scope } of statusRoutes) {
          const status = await statusFrom(address, port, method, path);
          assert.equal(status, scope === "loopback" ? 403 : 200, `${method} ${path}`);
        }
        assert.deepEqual(called, []);
      });
    });

    test(`takes ${address} for no loopback where metrics are for loopback`, async () => {
      await withStatus(async (port) => {
        assert.equal(await statusFrom(address, port, "GET", "/stats/prometheus"), 403);
        assert.equal(await statusFrom(address, port, "GET", "/healthz/ready"), 200);
        assert.equal(await statusFrom("127.0.0.1", port, "GET", "/stats/prometheus"), 200);
      }, true);
    });
  }

  test("gives a page of a foreign site nothing, and nothing happens", async () => {
    await withStatus(async (port, called) => {
      for (const { path, method, takesAnyHost } of statusRoutes) {
        const named = { host: `evil.example:${port}` };
        for (const headers of [
          ...(takesAnyHost === true ? [] : [named]),
          { origin: "http://evil.example" },
          { origin: "null" },
        ]) {
          const answer = await sendRaw(
            { port, host: "127.0.0.1" },
            bareRequest(`${method} ${path}`, {
              "content-length": "0",
              "content-type": "text/plain",
              ...headers,
            }),
          );
          assert.equal(statusOf(answer), 403, `${method} ${path} ${JSON.stringify(headers)}`);
        }
      }
      assert.deepEqual(called, []);
    });
  });

  test("is probed while hundreds of half requests are open", async () => {
    await withStatus(async (port) => {
      const target = { port, host: "127.0.0.1" };
      const held: Socket[] = [];
      for (let count = 0; count < 400; count += 1) {
        held.push(await holdOpen(target, "GET /healthz/ready HTTP/1.1\r\nhost: a\r\nx-"));
        if (count % 50 === 0)
          assert.equal(statusOf(await sendRaw(target, bareRequest("GET /healthz/ready"))), 200);
      }
      for (const socket of held) socket.destroy();
    });
  });

  for (const [who, looksAfter] of [
    ["a route that does not look after its asker", false],
    ["a route that does", true],
  ] as const) {
    test(`leaves nothing open of the stream of ${who} when the asker resets`, async () => {
      const asked = Promise.withResolvers<void>();
      const left = Promise.withResolvers<void>();
      const body = new Readable({ read: () => undefined });
      const { log, lines } = testLog();
      await using server = await listenForStatus(
        { host: "127.0.0.1", port: 0, metricsLocalOnly: false },
        [
          route("/slow", async ({ gone }) => {
            if (looksAfter) gone();
            asked.resolve();
            await left.promise;
            return { kind: "stream", headers: {}, body };
          }),
          route("/quick", () => text(200, "")),
        ],
        {},
        { log, redactor: new Redactor() },
      );
      const target = { host: "127.0.0.1", port: server.port };
      const socket = connect(target);
      socket.write("GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n");
      await asked.promise;
      const closed = once(body, "close");
      socket.resetAndDestroy();
      // Who is answered after that has been heard after that.
      assert.equal(statusOf(await sendRaw(target, bareRequest("GET /quick"))), 200);
      left.resolve();
      await closed;
      assert.deepEqual(lines, []);
    });
  }

  test("compresses what is large for those who take it, and nothing of somebody else", async () => {
    const value = { lines: Array.from({ length: 1_000 }, (_, line) => `this is line ${line}`) };
    await using server = await listenForStatus(
      { host: "127.0.0.1", port: 0, metricsLocalOnly: false },
      [
        route("/large", () => ({ kind: "json", value })),
        route("/small", () => ({ kind: "json", value: {} })),
        route("/others", () => ({ kind: "bytes", status: 200, bytes: Buffer.alloc(60_000, "a") })),
      ],
      {},
      { log: testLog().log, redactor: new Redactor() },
    );
    const ask = (path: string, accepted: string, method = "GET"): ReturnType<typeof scrapeAt> =>
      scrapeAt(server.port, {
        path,
        method,
        headers: accepted === "" ? {} : { "accept-encoding": accepted },
      });
    for (const [accepted, encoding, decode] of [
      ["gzip, deflate, br", "gzip", gunzipSync],
      ["gzip;q=0.5, zstd", "zstd", zstdDecompressSync],
      ["gzip;q=0, br", undefined, (body: Buffer) => body],
      ["", undefined, (body: Buffer) => body],
    ] as const) {
      const { status, headers, body } = await ask("/large", accepted);
      assert.equal(status, 200);
      assert.equal(headers["content-encoding"], encoding, accepted);
      assert.equal(headers["vary"], "accept-encoding");
      assert.equal(headers["content-length"], String(body.length));
      assert.deepEqual(JSON.parse(decode(body).toString("utf8")), value);
    }
    for (const [path, method] of [
      ["/small", "GET"],
      ["/others", "GET"],
      ["/large", "HEAD"],
    ] as const)
      assert.equal((await ask(path, "gzip", method)).headers["content-encoding"], undefined, path);
  });

  test("does not keep what belongs to an answer for as long as the connection", async () => {
    const counts: number[] = [];
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ends = new Set<Socket>();
    const { log } = testLog();
    await using server = await listenForStatus(
      { host: "127.0.0.1", port: 0, metricsLocalOnly: false },
      [
        route("/looked-after", ({ gone }) => {
          gone();
          return text(200, "");
        }),
      ],
      {},
      { log, redactor: new Redactor() },
    );
    const seen = (message: unknown): void => {
      const { socket } = (message as { request: IncomingMessage }).request;
      ends.add(socket);
      counts.push(socket.listenerCount("end"));
    };
    subscribe("http.server.request.start", seen);
    try {
      for (let count = 0; count < 5; count += 1) {
        const request = httpRequest({ host: "127.0.0.1", port: server.port, path: "/looked-after", agent });
        request.end();
        const [answer] = (await once(request, "response")) as [IncomingMessage];
        await once(answer.resume(), "end");
      }
    } finally {
      unsubscribe("http.server.request.start", seen);
      agent.destroy();
    }
    assert.equal(ends.size, 1);
    assert.deepEqual(counts.slice(1), Array(4).fill(counts[0]));
  });
});

function route(path: string, answer: (asked: Asked) => Answer | Promise<Answer>): Route<object> {
  return {
    ...{ path, method: "GET", scope: "everybody", describe: "" },
    handle: (_parts, asked) => answer(asked),
  };
}
