/** The admin port before an Envoy that does what a real one cannot be made to do. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { listenForAdmin } from "../../../../src/envoy/admin/forwarder.ts";
import { sleep } from "../../../../src/lifecycle/sleep.ts";
import { fetchHttp } from "../../../../src/net/http-client.ts";
import type { HttpServer } from "../../../../src/net/http-server.ts";
import { eventually } from "../../../support/eventually.ts";
import { bareRequest, holdOpen, sendRaw, statusOf } from "../../../support/raw-http.ts";
import { type TemporaryFolder, temporaryFolder } from "../../../support/temporary-folder.ts";
import { testLog } from "../../../support/test-log.ts";

/** Short, so that nobody has to wait for what takes ten seconds in earnest. */
const limits = { firstByteMs: 1_000, lookMs: 50, stallMs: 60_000 };

const large = 8 * 2 ** 20;
const head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n";

/** What the stand-in answers, by the first line of the request. */
const answers: Readonly<Record<string, (socket: Socket) => void>> = {
  "/large": (socket) => {
    socket.end(`${head}content-length: ${large}\r\n\r\n${"x".repeat(large)}`);
  },
  "/torn": (socket) => {
    socket.write(`${head}content-length: 100\r\n\r\nonly a part`, () => socket.destroy());
  },
  "/torn-chunks": (socket) => {
    socket.write(`${head}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n`, () => socket.destroy());
  },
  "/nonsense": (socket) => {
    socket.end("HTTP/1.1 200 OK\r\nx: \u0001\r\n\r\n");
  },
  "/hop-by-hop": (socket) => {
    socket.end(
      `${head}transfer-encoding: chunked\r\nconnection: keep-alive, x-a\r\ntrailer: x-b\r\nupgrade: h2c\r\n\r\n2\r\nhi\r\n0\r\nx-b: 1\r\n\r\n`,
    );
  },
  "/unasked-body": (socket) => {
    socket.write(`${head}transfer-encoding: chunked\r\n\r\nLIVE\n`);
  },
  "/unasked-body-later": (socket) => {
    socket.write(`${head}transfer-encoding: chunked\r\n\r\n`);
    setTimeout(() => socket.write("x".repeat(100_000)), 20);
  },
  "/unasked-body-of-known-length": (socket) => {
    socket.end(`${head}content-length: 5\r\n\r\nLIVE\n`);
  },
  "/no-content": (socket) => {
    socket.write("HTTP/1.1 204 No Content\r\n\r\nLIVE\n");
  },
  "/not-modified": (socket) => {
    socket.write("HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\nLIVE\n");
  },
  "/more-than-it-says": (socket) => {
    socket.write(`${head}content-length: 2\r\n\r\nok, and more`);
  },
  "/informs-first": (socket) => {
    socket.end(`HTTP/1.1 103 Early Hints\r\nx: y\r\n\r\n${head}content-length: 2\r\n\r\nok`);
  },
  "/switches": (socket) => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\nLIVE\n");
  },
  "/silent": () => undefined,
};

function bodyOf(answer: string): string {
  return answer.slice(answer.indexOf("\r\n\r\n") + 4);
}

describe("the admin port", () => {
  let folder: TemporaryFolder;
  let envoy: Server;
  let admin: HttpServer;
  let target: { readonly host: string; readonly port: number };
  /** Where the first byte is not what is tried: on a loaded machine it comes late. */
  let patientAdmin: HttpServer;
  let patientTarget: typeof target;
  const received: string[] = [];
  const drains: string[] = [];
  let quits = 0;
  const connections = new Set<Socket>();

  before(async () => {
    folder = temporaryFolder();
    const path = join(folder.path, "admin.sock");
    envoy = createServer((socket) => {
      connections.add(socket);
      socket.once("close", () => connections.delete(socket));
      let text = "";
      socket.on("error", () => undefined);
      socket.on("data", (chunk) => {
        const isNew = text === "";
        text += chunk.toString("latin1");
        if (isNew) received.push(text);
        else received[received.length - 1] = text;
        if (!isNew) return;
        const [, url = ""] = text.split(" ");
        const answer = answers[url.split("?")[0] ?? ""];
        if (answer === undefined) socket.end(`${head}content-length: 2\r\n\r\nok`);
        else answer(socket);
      });
    });
    await new Promise<void>((resolve) => envoy.listen(path, resolve));
    const options = {
      host: "127.0.0.1",
      port: 0,
      socketPath: () => path,
      unavailable: () => "Envoy is gone",
      quit: () => {
        quits += 1;
      },
      drained: (query: string) => {
        drains.push(query);
      },
      log: testLog().log,
      limits,
    };
    admin = await listenForAdmin(options);
    target = { host: "127.0.0.1", port: admin.port };
    patientAdmin = await listenForAdmin({ ...options, limits: { ...limits, firstByteMs: 60_000 } });
    patientTarget = { host: "127.0.0.1", port: patientAdmin.port };
  });

  after(async () => {
    await Promise.all([admin[Symbol.asyncDispose](), patientAdmin[Symbol.asyncDispose]()]);
    for (const socket of connections) socket.destroy();
    await new Promise((resolve) => envoy.close(resolve));
    folder[Symbol.dispose]();
  });

  const isWell = async (): Promise<void> => {
    assert.equal(statusOf(await sendRaw(target, bareRequest("GET /ready"))), 200);
  };

  for (const [what, request] of [
    ["a trailer that is announced", bareRequest("GET /ready", { trailer: "x" })],
    ["a trailer without chunks", bareRequest("POST /ready", { trailer: "x", "content-length": "0" })],
    [
      "a trailer after chunks",
      `${bareRequest("POST /ready", { trailer: "x", "transfer-encoding": "chunked" })}2\r\nhi\r\n0\r\nx: 1\r\n\r\n`,
    ],
    ["Expect", bareRequest("POST /ready", { expect: "100-continue", "content-length": "2" }) + "hi"],
    ["an unknown expectation", bareRequest("POST /ready", { expect: "what" })],
    ["TE", bareRequest("GET /ready", { te: "trailers, gzip" })],
    ["an upgrade", bareRequest("GET /ready", { connection: "upgrade, close", upgrade: "h2c" })],
    ["Connection that names other headers", bareRequest("GET /ready", { connection: "close, host" })],
    ["letters beyond ASCII", bareRequest("GET /ready", { "x-y": "\u00e9\u00ff", "user-agent": "\u00fc" })],
    ["a body of a GET", bareRequest("GET /ready", { "content-length": "2" }) + "hi"],
    ["a method that Envoy does not know", bareRequest("PROPFIND /ready")],
    ["two lengths", bareRequest("POST /ready", { "content-length": "2", "Content-length": "3" }) + "hi"],
    [
      "a length and chunks",
      bareRequest("POST /ready", { "content-length": "2", "transfer-encoding": "chunked" }),
    ],
    ["HTTP/1.0", "GET /ready HTTP/1.0\r\n\r\n"],
    ["HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["CONNECT", "CONNECT localhost:1 HTTP/1.1\r\nhost: localhost\r\n\r\n"],
    ["TLS", "\u0016\u0003\u0001\u0000\u00a5\u0001\u0000\u0000"],
    ["too many headers", bareRequest("GET /ready", { x: "y".repeat(100_000) })],
    ["no request at all", "\r\n\r\n\r\n"],
  ] as const) {
    test(`${what}: whatever becomes of it, the next request is answered`, async () => {
      await sendRaw(target, request, 300);
      await isWell();
    });
  }

  test("only what Envoy needs of a request's headers goes along", async () => {
    received.length = 0;
    await sendRaw(
      target,
      bareRequest("POST /tap", {
        accept: "*/*",
        "content-type": "application/json",
        "content-length": "2",
        cookie: "a=b",
        authorization: "x",
        te: "trailers",
        "x-forwarded-for": "1",
      }) + "hi",
    );
    const [line = "", ...headers] = (received[0] ?? "").split("\r\n");
    assert.equal(line, "POST /tap HTTP/1.1");
    assert.deepEqual(
      headers.filter((header) => header.includes(":")).map((header) => header.split(":")[0]?.toLowerCase()),
      ["host", "accept", "content-length", "content-type", "connection"],
    );
    assert.equal(headers.at(-1), "hi");
  });

  test("a path that may mean another to Envoy is refused, and Envoy does not see it", async () => {
    received.length = 0;
    for (const path of [
      "//quitquitquit",
      "/%71uitquitquit",
      "/x/../quitquitquit",
      "/quitquitquit#",
      "/..;/x",
    ]) {
      const answer = await sendRaw(target, bareRequest(`POST ${path}`));
      assert.equal(statusOf(answer), 400, path);
      assert.match(answer, path.includes("#") ? /400/ : /the path must be plain/);
    }
    assert.deepEqual(received, []);
    assert.equal(quits, 0);
  });

  test("quitting is the agent's, whatever the query, and a drain is noted with its own", async () => {
    received.length = 0;
    for (const url of ["/quitquitquit", "/quitquitquit?", "/quitquitquit?x=1"]) {
      const before = quits;
      assert.equal(statusOf(await sendRaw(target, bareRequest(`GET ${url}`))), 405);
      assert.equal(
        statusOf(await sendRaw(target, bareRequest(`POST ${url}`, { "content-length": "0" }))),
        200,
      );
      await eventually("quit", () => assert.equal(quits, before + 1), { withinMs: 2_000, everyMs: 5 });
    }
    assert.deepEqual(received, []);
    await sendRaw(target, bareRequest("POST /drain_listeners?graceful", { "content-length": "0" }));
    await sendRaw(target, bareRequest("GET /drain_listeners?inboundonly"));
    assert.deepEqual(drains, ["graceful"]);
  });

  test("a drain is noted even when whoever asked for it does not wait for the answer", async () => {
    const socket = await holdOpen(
      target,
      bareRequest("POST /drain_listeners?skip_exit", { "content-length": "0" }),
    );
    socket.resetAndDestroy();
    await eventually("noted", () => assert.equal(drains.at(-1), "skip_exit"), {
      withinMs: 5_000,
      everyMs: 5,
    });
  });

  for (const [path, version] of [
    ["/torn", "1.1"],
    ["/torn-chunks", "1.1"],
    ["/torn-chunks", "1.0"],
  ] as const) {
    test(`an answer of Envoy's that breaks off breaks off at once (${path}, HTTP/${version})`, async () => {
      const request = bareRequest(`GET ${path}`).replace("HTTP/1.1", `HTTP/${version}`);
      await assert.rejects(
        fetchHttp({ target, url: path, timeoutMs: 5_000 }),
        (error: NodeJS.ErrnoException) => !/within/.test(error.message),
      );
      const end = await endOf(request);
      assert.equal(end, "reset");
      await isWell();
    });
  }

  function endOf(request: string): Promise<string> {
    return new Promise((resolve) => {
      const socket = connect(target, () => socket.write(request));
      socket.once("error", () => {
        resolve("reset");
      });
      socket.once("end", () => {
        resolve("end");
      });
      socket.resume().setTimeout(5_000, () => {
        resolve("nothing");
        socket.destroy();
      });
    });
  }

  test("an answer of Envoy's that is none is a 503 with the reason", async () => {
    const answer = await sendRaw(target, bareRequest("GET /nonsense"));
    assert.equal(statusOf(answer), 503);
    assert.match(answer, /Envoy is gone \(Parse Error/);
    await isWell();
  });

  for (const [method, path, status, body] of [
    ["HEAD", "/unasked-body", 200, ""],
    ["HEAD", "/unasked-body-later", 200, ""],
    ["HEAD", "/unasked-body-of-known-length", 200, ""],
    ["HEAD", "/large", 200, ""],
    ["GET", "/no-content", 204, ""],
    ["HEAD", "/no-content", 204, ""],
    ["GET", "/not-modified", 304, ""],
    ["GET", "/more-than-it-says", 200, "ok"],
    ["GET", "/informs-first", 200, "ok"],
    ["HEAD", "/informs-first", 200, ""],
    ["GET", "/switches", 503, undefined],
  ] as const) {
    test(`what Envoy sends after a whole answer is no part of it (${method} ${path})`, async () => {
      const first = `${method} ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`;
      const text = await sendRaw(target, `${first}${bareRequest("GET /ready?next")}`);
      const [answer = "", next = ""] = text.split(/(?<=.)(?=HTTP\/1\.1 )/s);
      assert.equal(statusOf(answer), status);
      if (body !== undefined) assert.equal(bodyOf(answer), body);
      assert.equal(statusOf(next), 200, text);
      assert.equal(bodyOf(next), "ok");
      await isWell();
    });
  }

  test("headers about Envoy's connection stay there", async () => {
    const answer = await sendRaw(target, bareRequest("GET /hop-by-hop"));
    assert.equal(statusOf(answer), 200);
    assert.doesNotMatch(answer, /upgrade|trailer|x-a|keep-alive/i);
    assert.match(answer, /hi/);
  });

  test("2,000 requests at once on one connection are all answered", async () => {
    const requests = "GET /ready HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(2_000);
    const text = await sendRaw(patientTarget, `${requests}${bareRequest("GET /ready")}`, 60_000);
    assert.equal(text.match(/HTTP\/1\.1 200/g)?.length, 2_001);
    assert.doesNotMatch(text, /HTTP\/1\.1 [45]/);
  });

  test("a reader that pauses longer than Envoy's first byte may take gets the whole answer", async () => {
    const socket = await holdOpen(target, bareRequest("GET /large"));
    await sleep(2 * limits.firstByteMs);
    let bytes = 0;
    socket.on("data", (chunk) => {
      bytes += chunk.length;
    });
    await new Promise((resolve) => socket.ref().resume().once("close", resolve));
    assert.ok(bytes > large, `only ${bytes} bytes came`);
  });

  test("Envoy that says nothing is a 503 in time", async () => {
    const answer = await sendRaw(target, bareRequest("GET /silent"), 5_000);
    assert.equal(statusOf(answer), 503);
    assert.match(answer, /no answer within 1000 ms/);
  });

  test("readers that pause are let go when Envoy has died", async () => {
    const readers = await Promise.all(
      Array.from({ length: 10 }, () => holdOpen(patientTarget, bareRequest("GET /large"))),
    );
    await eventually("answers", () => assert.equal(connections.size, readers.length), { withinMs: 20_000 });
    rmSync(join(folder.path, "admin.sock"));
    await eventually("let go", () => assert.equal(connections.size, 0), { withinMs: 20_000 });
    for (const reader of readers) reader.destroy();
  });
});
