/** What one client does to a server costs no other client anything. */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { sleep } from "../../../src/lifecycle/sleep.ts";
import { fetchHttp } from "../../../src/net/http-client.ts";
import { type HttpHandler, HttpServer, type HttpServerOptions } from "../../../src/net/http-server.ts";
import { catchEscapes } from "../../support/escapes.ts";
import { bareRequest, holdOpen, sendRaw, statusOf } from "../../support/raw-http.ts";

const limits = { most: 32, mostOfOneSource: 24 };

const anywhere = { host: "127.0.0.1", port: 0 };

async function withServer(
  handler: HttpHandler,
  options: HttpServerOptions,
  run: (port: number) => Promise<void>,
): Promise<void> {
  await using server = await HttpServer.listen(anywhere, handler, options);
  await run(server.port);
}

describe("HttpServer", () => {
  for (const [where, fail] of [
    [
      "in the handler",
      () => {
        throw new Error("broken");
      },
    ],
    ["in what the handler waits for", () => Promise.reject(new Error("broken"))],
    [
      "in a callback",
      (_, response) => {
        setImmediate(() => {
          response.end("late", () => undefined);
          throw new Error("broken");
        });
      },
    ],
    [
      "in a timer after the head was sent",
      (_, response) => {
        response.writeHead(200).write("some");
        setTimeout(() => {
          throw new Error("broken");
        }, 1);
      },
    ],
    [
      "in a promise that nobody waits for",
      () => {
        void Promise.resolve().then(() => {
          throw new Error("broken");
        });
      },
    ],
    [
      "in an event of the request's body",
      (request) => {
        request.resume().once("end", () => {
          throw new Error("broken");
        });
      },
    ],
  ] as const satisfies readonly (readonly [string, HttpHandler])[]) {
    test(`an error ${where} costs its own request, is told, and the server serves on`, async () => {
      using escapes = catchEscapes();
      const faults: string[] = [];
      await withServer(
        (request, response) =>
          request.url === "/good" ? void response.end("good") : fail(request, response),
        { part: "the test's port", onFault: (reason) => faults.push(reason) },
        async (port) => {
          await sendRaw({ port, host: "127.0.0.1" }, bareRequest("GET /bad"), 500);
          assert.deepEqual(faults, ["broken"]);
          const { body } = await fetchHttp({
            target: { host: "127.0.0.1", port },
            url: "/good",
            timeoutMs: 5_000,
          });
          assert.equal(body.toString("utf8"), "good");
        },
      );
      assert.equal(
        escapes.kinds.every((kind) => kind === "contained"),
        true,
      );
    });
  }

  test("requests of one connection are worked on one after the other, each with its answer, in order", async () => {
    let [working, most] = [0, 0];
    const count = 2_000;
    await withServer(
      async (request, response) => {
        working += 1;
        most = Math.max(most, working);
        await nextTurn();
        working -= 1;
        response.end(`<${request.url}>`);
      },
      {},
      async (port) => {
        const requests = Array.from(
          { length: count },
          (_, index) => `GET /${index} HTTP/1.1\r\nhost: a\r\n\r\n`,
        );
        const answers = await sendRaw(
          { port, host: "127.0.0.1" },
          `${requests.join("")}${bareRequest("GET /last")}`,
          10_000,
        );
        const urls = [...answers.matchAll(/<\/(\w+)>/g)].map(([, url]) => url);
        assert.deepEqual(urls, [...Array.from({ length: count }, (_, index) => String(index)), "last"]);
      },
    );
    assert.equal(most, 1);
  });

  test("a client that has said all that it has to say gets every answer", async () => {
    await withServer(
      async (_, response) => {
        await sleep(50);
        response.end("late");
      },
      {},
      async (port) => {
        const socket = connect({ port, host: "127.0.0.1" });
        socket.end("GET / HTTP/1.1\r\nhost: a\r\n\r\n".repeat(3));
        const answers = await text(socket);
        assert.equal(answers.match(/late/g)?.length, 3);
      },
    );
  });

  test("a client that sends requests and reads nothing is not read from for ever", async () => {
    let seen = 0;
    const stuck = Promise.withResolvers<void>();
    await withServer(
      async (_, response) => {
        seen += 1;
        await stuck.promise;
        response.end();
      },
      {},
      async (port) => {
        const socket = await holdOpen({ port, host: "127.0.0.1" }, "");
        const chunk = "GET / HTTP/1.1\r\nhost: a\r\n\r\n".repeat(20_000);
        let isTaken = true;
        for (let sent = 0; sent < 100 && isTaken; sent += 1) {
          isTaken = await Promise.race([
            new Promise<boolean>((resolve) => {
              socket.write(chunk, () => {
                resolve(true);
              });
            }),
            sleep(1_000).then(() => false),
          ]);
        }
        assert.equal(isTaken, false, "50 MiB of requests were taken in while none was answered");
        assert.equal(seen, 1);
        stuck.resolve();
        socket.destroy();
      },
    );
  });

  test("half requests, silent connections and idle ones make room for who asks", async () => {
    await withServer(
      (_, response) => void response.end("here"),
      { limits },
      async (port) => {
        const target = { port, host: "127.0.0.1" };
        const held: Socket[] = [];
        for (const bytes of ["GET / HTTP/1.1\r\nhost: a\r\nx: ", "", "GET / HTTP/1.1\r\nhost: a\r\n\r\n"]) {
          for (let count = 0; count < 2 * limits.most; count += 1) held.push(await holdOpen(target, bytes));
          for (let probe = 0; probe < 5; probe += 1) {
            assert.equal(statusOf(await sendRaw(target, bareRequest("GET /"))), 200);
          }
        }
        for (const socket of held) socket.destroy();
      },
    );
  });

  test("when too many requests are at work, an urgent one is answered and another told so", async () => {
    const stuck = Promise.withResolvers<void>();
    await withServer(
      async (request, response) => {
        if (request.url === "/slow") await stuck.promise;
        response.end();
      },
      { limits, isUrgent: ({ url }) => url === "/ready" },
      async (port) => {
        const target = { port, host: "127.0.0.1" };
        const held: Socket[] = [];
        for (let count = 0; count < limits.most; count += 1)
          held.push(await holdOpen(target, bareRequest("GET /slow")));
        assert.equal(statusOf(await sendRaw(target, bareRequest("GET /ready"))), 200);
        const refused = await sendRaw(target, bareRequest("GET /slow"));
        assert.equal(statusOf(refused), 503);
        assert.match(refused, /Too many requests at once/);
        stuck.resolve();
        for (const socket of held) socket.destroy();
      },
    );
  });

  test("what a foreign page may have sent is refused before the handler sees it, on every path", async () => {
    let seen = 0;
    await withServer(
      (_, response) => {
        seen += 1;
        response.end("secret");
      },
      { hosts: "local" },
      async (port) => {
        const target = { port, host: "127.0.0.1" };
        for (const headers of [
          { host: "evil.example" },
          { origin: "http://evil.example" },
          { origin: "null" },
          { host: `127.0.0.1:${port}`, origin: "http://127.0.0.1" },
        ]) {
          for (const line of ["GET /", "POST /quitquitquit", "GET http://localhost/"]) {
            const answer = await sendRaw(target, bareRequest(line, headers));
            assert.equal(statusOf(answer), 403, JSON.stringify({ line, headers }));
            assert.doesNotMatch(answer, /secret/);
          }
        }
        assert.equal(seen, 0);
        const own = { host: `127.0.0.1:${port}`, origin: `http://127.0.0.1:${port}` };
        assert.equal(statusOf(await sendRaw(target, bareRequest("GET /", own))), 200);
        assert.match(await sendRaw(target, "GET / HTTP/1.0\r\n\r\n"), /secret/);
      },
    );
  });
});
