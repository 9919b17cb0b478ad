/** Probes of the application by HTTP through the status port, on real sockets. */
import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import { type AddressInfo, createServer, type Server } from "node:net";
import { describe, test } from "node:test";
import { HttpServer } from "../../../src/net/http-server.ts";
import { Metrics } from "../../../src/telemetry/metrics.ts";
import { eventually } from "../../support/eventually.ts";
import { bareRequest, sendRaw, statusOf } from "../../support/raw-http.ts";
import { silentServer } from "../../support/silent-server.ts";
import { testLog } from "../../support/test-log.ts";
import { TestPki, validity } from "../../support/test-pki.ts";
import { app, bodyOf, http, path, probed, refusingPort } from "../../support/probed-application.ts";

describe("a probe of the application by HTTP", () => {
  test("is answered with its status and its body", async () => {
    await using server = await app();
    for (const status of [200, 404, 418, 500, 503]) {
      await probed(http(server.port, `/status/${status}`), async (ask) => {
        const answer = await ask();
        assert.equal(statusOf(answer), status);
        assert.equal(bodyOf(answer), `it is ${status}`);
      });
    }
  });

  test("is a GET with the kubelet's headers from an address that is not captured, whatever the method", async () => {
    const seen: IncomingMessage[] = [];
    await using server = await app(seen);
    const { port } = server;
    await probed(http(port, "/ready?full=1"), async (ask) => {
      await ask({ "user-agent": "kube-probe/1.33", "x-token": "a" });
      await ask({ host: "shop.example" }, "POST");
    });
    const [first, second] = seen;
    assert.equal(first?.url, "/ready?full=1");
    assert.equal(first?.headers.host, `127.0.0.1:${port}`);
    assert.equal(first?.headers["user-agent"], "kube-probe/1.33");
    assert.equal(first?.headers["x-token"], "a");
    assert.equal(first?.socket.remoteAddress, "127.0.0.6");
    assert.equal(second?.method, "GET");
    assert.equal(second?.headers.host, "shop.example");
  });

  test("passes on no page that a browser would run", async () => {
    await using server = await app();
    await probed(http(server.port, "/page"), async (ask) => {
      const answer = await ask();
      assert.match(answer, /content-type: text\/plain/i);
      assert.match(answer, /x-content-type-options: nosniff/i);
    });
  });

  test("asks once more when a connection that was kept is closed just then", async () => {
    const asked: number[] = [];
    const server = createServer((socket) => {
      const number = asked.push(0) - 1;
      socket.on("error", () => undefined);
      socket.on("data", () => {
        asked[number] = (asked[number] ?? 0) + 1;
        if (asked[number] === 1) socket.write("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine");
        else socket.destroy();
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    try {
      const { port } = server.address() as AddressInfo;
      await probed(
        http(port, "/"),
        async (ask) => {
          assert.equal(statusOf(await ask()), 200);
          assert.equal(statusOf(await ask()), 200);
        },
        { changes: { keepsConnections: true } },
      );
      assert.deepEqual(asked, [2, 1]);
    } finally {
      server.close();
    }
  });

  test("takes a redirect to another host for a success, and follows one within the host", async () => {
    await using server = await app();
    const { port } = server;
    for (const [location, status, body] of [
      ["http://elsewhere.example/", 200, ""],
      ["/status/503", 503, "it is 503"],
      [`http://127.0.0.1:${port}/status/200`, 200, "it is 200"],
    ] as const) {
      await probed(http(port, `/to/${encodeURIComponent(location)}`), async (ask) => {
        const answer = await ask();
        assert.deepEqual([statusOf(answer), bodyOf(answer)], [status, body], location);
      });
    }
    const reached: IncomingMessage[] = [];
    await using other = await app(reached);
    await probed(
      http(port, `/to/${encodeURIComponent(`http://127.0.0.1:${other.port}/status/503`)}`),
      async (ask) => {
        assert.equal(statusOf(await ask()), 200);
      },
    );
    assert.equal(reached.length, 0);
    await using loop = await HttpServer.listen({ host: "127.0.0.1", port: 0 }, (_, response) => {
      response.writeHead(302, { location: "/again" }).end();
    });
    await probed(http(loop.port, "/"), async (ask) => {
      const answer = await ask();
      assert.equal(statusOf(answer), 500);
      assert.match(bodyOf(answer), /redirected more than 10 times/);
    });
  });

  test("reads no more of a body than the kubelet does", async () => {
    await using server = await app();
    await probed(http(server.port, "/endless"), async (ask) => {
      const answer = await ask();
      assert.equal(statusOf(answer), 200);
      assert.equal(bodyOf(answer).length, 10_240);
    });
  });

  test("fails with the reason where there is no answer, or half of one", async () => {
    await using server = await app();
    await using silent = await silentServer();
    for (const [prober, reason] of [
      [http(await refusingPort(), "/"), /ECONNREFUSED/],
      [http(server.port, "/torn"), /aborted|closed the connection/],
      [http(silent.port, "/", { timeoutMs: 200 }), /no answer within 200 ms/],
    ] as const) {
      await probed(prober, async (ask) => {
        const answer = await ask();
        assert.equal(statusOf(answer), 500);
        assert.match(bodyOf(answer), reason);
      });
    }
  });

  for (const speaksHttp2 of [true, false]) {
    test(`asks by TLS without a look at the certificate, over HTTP/${speaksHttp2 ? "2" : "1.1"}`, async () => {
      const pki = await TestPki.create();
      const { certificatePem, privateKeyPem } = await pki.serverKeyPair(
        ["elsewhere.example"],
        validity(-7_200_000, -3_600_000),
      );
      const seen: string[] = [];
      const server = createSecureServer(
        { cert: certificatePem, key: privateKeyPem, allowHTTP1: true },
        (request: Http2ServerRequest, response: Http2ServerResponse) => {
          seen.push(
            `${request.httpVersion} ${String(request.headers["x-token"])} ${request.authority || request.headers.host}`,
          );
          response.writeHead(202).end("fine");
        },
      );
      await new Promise<void>((resolve) => {
        server.listen(0, "127.0.0.1", resolve);
      });
      const { port } = server.address() as AddressInfo;
      try {
        await probed(
          http(port, "/", { scheme: "https" }),
          async (ask) => {
            const answer = await ask({ "x-token": "a" });
            assert.deepEqual([statusOf(answer), bodyOf(answer)], [202, "fine"]);
          },
          { changes: { offersHttp2: speaksHttp2 } },
        );
        assert.deepEqual(seen, [`${speaksHttp2 ? "2.0" : "1.1"} a 127.0.0.1:${port}`]);
      } finally {
        server.close();
      }
    });
  }

  for (const keepsConnections of [true, false]) {
    test(`has ${keepsConnections ? "one connection for all" : "a connection for each"}`, async () => {
      const seen: IncomingMessage[] = [];
      await using server = await app(seen);
      await probed(
        http(server.port, "/"),
        async (ask) => {
          for (let count = 0; count < 3; count += 1) assert.equal(statusOf(await ask()), 200);
        },
        { changes: { keepsConnections } },
      );
      assert.equal(new Set(seen.map(({ socket }) => socket)).size, keepsConnections ? 1 : 3);
    });
  }

  test("ends with whoever asked", async () => {
    let closed = false;
    const server: Server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("close", () => {
        closed = true;
      });
      socket.resume();
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    await probed(http((server.address() as AddressInfo).port, "/", { timeoutMs: 0 }), async (_, port) => {
      await sendRaw({ host: "127.0.0.1", port }, bareRequest(`GET ${path}`), 200);
      await eventually("the end of the application's connection", () => assert.ok(closed), {
        withinMs: 10_000,
      });
    });
    server.close();
  });

  test("has 64 at work for one address at most, and another's are not held up", async () => {
    await using silent = await silentServer();
    await probed(http(silent.port, "/", { timeoutMs: 0 }), async (ask, port) => {
      const held = Array.from({ length: 64 }, () =>
        sendRaw({ host: "127.0.0.1", port }, bareRequest(`GET ${path}`), 3_000),
      );
      await eventually(
        "a refusal",
        async () => {
          const answer = await sendRaw({ host: "127.0.0.1", port }, bareRequest(`GET ${path}`), 100);
          assert.equal(statusOf(answer), 503);
        },
        { withinMs: 10_000 },
      );
      const other = await sendRaw(
        { host: "127.0.0.1", port, localAddress: "127.0.0.9" },
        bareRequest(`GET ${path}`),
        100,
      );
      assert.equal(other, "");
      await Promise.all(held);
      void ask;
    });
  });

  test("is told where it begins to fail and where it succeeds again, and counted", async () => {
    let status = 500;
    await using server = await HttpServer.listen({ host: "127.0.0.1", port: 0 }, (_, response) => {
      response.writeHead(status).end();
    });
    const log = testLog();
    const metrics = new Metrics("istio_agent_");
    await probed(
      http(server.port, "/"),
      async (ask) => {
        await ask();
        await ask();
        status = 200;
        await ask();
        await ask();
      },
      { log, metrics },
    );
    assert.equal(log.lines.filter((line) => line.includes("a probe of the application")).length, 2);
    assert.match(log.lines.join("\n"), /fails.*it answered 500[^]*succeeds again/);
    const text = await metrics.render();
    assert.match(text, /outrider_application_probes_total\{result="success"\} 2/);
    assert.match(text, /outrider_application_probes_total\{result="failure"\} 2/);
  });
});
