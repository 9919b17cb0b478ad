/** Answers that are read into memory of the test's own, from servers that write them in every way. */
import assert from "node:assert/strict";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { describe, test } from "node:test";
import { PulledResponse } from "../../../src/net/pulled-response.ts";

async function withServer(
  answer: (socket: Socket) => void,
  run: (port: number) => Promise<void>,
): Promise<void> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => {
      answer(socket);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  try {
    await run((server.address() as AddressInfo).port);
  } finally {
    server.close();
  }
}

function ask(port: number, signal: AbortSignal = new AbortController().signal): Promise<PulledResponse> {
  return PulledResponse.open({
    at: { host: "127.0.0.1", port },
    path: "/metrics",
    headers: { host: "localhost", connection: "close" },
    memory: Buffer.alloc(1_024),
    signal,
  });
}

async function bodyOf(response: PulledResponse): Promise<string> {
  using _ = response;
  let body = "";
  for (let part = await response.next(); part !== undefined; part = await response.next())
    body += part.toString("latin1");
  return body;
}

const long = Array.from({ length: 5_000 }, (_, index) => String(index)).join();

const empty = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

describe("an answer that is pulled", () => {
  const answers: readonly (readonly [how: string, parts: readonly string[], body: string])[] = [
    ["by its length", [`HTTP/1.1 200 OK\r\ncontent-length: ${long.length}\r\n\r\n${long}`, "beyond"], long],
    ["by the connection's end", [`HTTP/1.1 200 OK\r\n\r\n${long}`], long],
    [
      "in chunks",
      [
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
        `${long.length.toString(16)}\r\n${long}\r\n`,
        "0\r\n\r\n",
      ],
      long,
    ],
    [
      "after interim ones",
      ["HTTP/1.1 103 Early Hints\r\na: b\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n", "a"],
      "a",
    ],
    ["after many interim ones", ["HTTP/1.1 103 \r\n\r\n".repeat(32), empty], ""],
    [
      "with a head of many reads",
      ["HTTP/1.1 200 OK\r\n", ...Array.from({ length: 200 }, (_, index) => `x-${index}: y\r\n`), "\r\nbody"],
      "body",
    ],
    [
      "byte by byte",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n".split(""),
      "abc",
    ],
    ["without a body", ["HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"], ""],
  ];
  for (const [how, parts, body] of answers)
    test(`comes whole ${how}`, async () => {
      await withServer(
        (socket) => {
          socket.setNoDelay();
          void (async () => {
            for (const part of parts) {
              socket.write(part);
              await new Promise((resolve) => {
                setImmediate(resolve);
              });
            }
            socket.end();
          })();
        },
        async (port) => {
          assert.equal(await bodyOf(await ask(port)), body);
        },
      );
    });

  for (const [how, text] of [
    ["its length", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nbody"],
    ["its last chunk", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nbody\r\n"],
  ] as const)
    test(`fails when it ends before ${how}`, async () => {
      await withServer(
        (socket) => void socket.end(text),
        async (port) => {
          await assert.rejects(ask(port).then(bodyOf), /ended before the answer did/);
        },
      );
    });

  for (const [how, text] of [
    ["nothing", ""],
    ["half a head", "HTTP/1.1 200 OK\r\n"],
    ["another protocol", "SSH-2.0-x\r\n"],
    ["one after too many interim ones", `${"HTTP/1.1 103 \r\n\r\n".repeat(33)}${empty}`],
    [
      "one after interim ones that are too long",
      `${`HTTP/1.1 103 \r\na: ${"b".repeat(8_192)}\r\n\r\n`.repeat(2)}${empty}`,
    ],
    ["another protocol from now on", "HTTP/1.1 101 Switching Protocols\r\n\r\n"],
  ] as const)
    test(`fails where there is ${how}`, async () => {
      await withServer(
        (socket) => void socket.end(text),
        async (port) => {
          await assert.rejects(ask(port));
        },
      );
    });

  test("fails with the signal's reason, before its head and after it", async () => {
    for (const text of ["", "HTTP/1.1 200 OK\r\n\r\n"]) {
      const stop = new AbortController();
      const asked = Promise.withResolvers<void>();
      await withServer(
        (socket) => {
          socket.write(text === "" ? "HTTP" : text);
          asked.resolve();
        },
        async (port) => {
          const body = ask(port, stop.signal).then(bodyOf);
          await asked.promise;
          stop.abort(new Error("nobody waits"));
          await assert.rejects(body, /nobody waits/);
        },
      );
    }
  });

  test("fails where nobody listens, and for a request that may not be", async () => {
    await assert.rejects(ask(1), { code: "ECONNREFUSED" });
    const request = {
      at: { host: "127.0.0.1", port: 1 },
      memory: Buffer.alloc(1),
      signal: new AbortController().signal,
    };
    await assert.rejects(PulledResponse.open({ ...request, path: "/a b", headers: {} }), /may not stand/);
    await assert.rejects(
      PulledResponse.open({ ...request, path: "/", headers: { a: "b\r\nc: d" } }),
      /may not stand/,
    );
  });
});
