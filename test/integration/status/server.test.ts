/** Who may ask the status port for what. */
import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import type { Socket } from "node:net";
import { describe, test } from "node:test";
import { endpoints, listenForStatus } from "../../../src/status/server.ts";
import { bareRequest, holdOpen, sendRaw, statusOf } from "../../support/raw-http.ts";
import { testLog } from "../../support/test-log.ts";

async function withStatus(
  run: (port: number, called: readonly string[]) => Promise<void>,
  metricsLocalOnly = false,
): Promise<void> {
  const called: string[] = [];
  const note = (what: string) => (): Promise<void> => {
    called.push(what);
    return Promise.resolve();
  };
  await using server = await listenForStatus(
    { host: "0.0.0.0", port: 0, metricsLocalOnly, profiling: true },
    {
      readiness: () => Promise.resolve({ ready: true }),
      metrics: () => Promise.resolve("metric 1\n"),
      report: note("report"),
      exchanges: () => [],
      reload: note("reload"),
      drain: note("drain"),
      quit: () => void note("quit")(),
      log: testLog().log,
    },
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
        for (const { path, method, loopbackOnly } of endpoints) {
          const status = await statusFrom(address, port, method, path);
          assert.equal(status, loopbackOnly ? 403 : 200, `${method} ${path}`);
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
      for (const { path, method } of endpoints) {
        for (const headers of [
          { host: `evil.example:${port}` },
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
});
