/**
 * The agent's HTTP ports, fed raw connections: each answer is HTTP, none says 500, and what changes state was asked for
 * in the one form that may.
 */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { join } from "node:path";
import { listenForAdmin } from "../../../src/envoy/admin-forwarder.ts";
import { listenForStatus } from "../../../src/status/server.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { testLog } from "../../support/test-log.ts";
import { exchange } from "../raw-connection.ts";
import type { FuzzTarget, OpenTarget } from "../target.ts";

const host = "127.0.0.1";

const words = [
  "\r\n",
  "\r\n\r\n",
  "\n",
  "GET ",
  "POST ",
  "HEAD ",
  "PUT ",
  "OPTIONS * HTTP/1.1\r\n",
  " HTTP/1.1\r\n",
  " HTTP/1.0\r\n",
  "/quitquitquit",
  "/drain",
  "/drain_listeners",
  "/reload",
  "/healthcheck/fail",
  "/logging?level=trace",
  "/%71uitquitquit",
  "/./",
  "/../",
  "//",
  "?",
  "#",
  "%00",
  "%2f",
  ";",
  "\\",
  "\0",
  "Host: localhost\r\n",
  "Host: evil.example\r\n",
  "Origin: null\r\n",
  "Origin: http://evil.example\r\n",
  "Connection: keep-alive\r\n",
  "Connection: close\r\n",
  "Content-Length: 5\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Trailer: Content-Length\r\n",
  "TE: trailers\r\n",
  "Expect: 100-continue\r\n",
  "Upgrade: websocket\r\n",
  "Proxy-Connection: x\r\n",
  ": x\r\n",
  "X: \u00ff\r\n",
  "0\r\n\r\n",
  "ffffffff\r\n",
];

function httpTarget(name: string, open: () => Promise<OpenTarget>): FuzzTarget {
  return { name, corpus: "http", words, concurrency: 16, maxBytes: 65_536, open };
}

function checkAnswer(answer: Buffer): void {
  if (answer.length === 0) return;
  const status = /^HTTP\/1\.[01] (\d{3}) /.exec(answer.toString("latin1"))?.[1];
  assert.ok(status !== undefined, `no HTTP: ${answer.subarray(0, 80).toString("latin1")}`);
  assert.doesNotMatch(answer.toString("latin1"), /^HTTP\/1\.1 500 /m);
}

/** A request in the one form that may change state; more may stand on a connection than are answered. */
function requestsFor(paths: string, input: Buffer): number {
  return [...input.toString("latin1").matchAll(new RegExp(`POST /(${paths})(\\?[^ ]*)? HTTP/1\\.`, "g"))]
    .length;
}

const isForeign = (input: Buffer): boolean => {
  const hosts = [...input.toString("latin1").matchAll(/host:[ \t]*([^\r\n]*)/gi)].map(([, value]) => value);
  return hosts.length > 0 && hosts.every((value) => value === "evil.example");
};

const statusTarget = httpTarget("http-status", async () => {
  let changes = 0;
  let asked = 0;
  const change = (): void => {
    changes += 1;
  };
  const server = await listenForStatus(
    { host, port: 0, metricsLocalOnly: false, profiling: true },
    {
      readiness: () => Promise.resolve({ ready: true }),
      metrics: () => Promise.resolve("# EOF\n"),
      report: () => Promise.resolve({}),
      exchanges: () => [],
      reload: () => Promise.resolve(change()),
      drain: () => Promise.resolve(change()),
      quit: change,
      log: testLog().log,
    },
  );
  return {
    feed: async (input) => {
      if (!isForeign(input)) asked += requestsFor("drain|reload|quitquitquit", input);
      checkAnswer(await exchange({ host, port: server.port }, input));
    },
    whole: async () => {
      assert.ok(changes <= asked, `${changes} changes of state, ${asked} asked for`);
      const answer = await exchange(
        { host, port: server.port },
        Buffer.from("GET /healthz/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
      );
      assert.match(answer.toString("latin1"), /^HTTP\/1\.1 200 /);
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
});

const adminTarget = httpTarget("http-admin", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(temporaryFolder());
  const socketPath = join(folder.path, "admin.sock");
  let wrongPath: string | undefined;
  // What reaches Envoy is in the form in which Envoy reads it, and nothing that ends it.
  const envoy = createServer((request, response) => {
    const [path = ""] = (request.url ?? "").split("?");
    if (!/^(\/|(\/[\w.-]+)+)$/.test(path) || /\/\.\.?(\/|$)/.test(path) || path === "/quitquitquit")
      wrongPath = request.url;
    request.resume();
    response.end("OK\n");
  });
  await new Promise<void>((resolve) => {
    envoy.listen(socketPath, resolve);
  });
  stack.defer(() => {
    envoy.closeAllConnections();
    envoy.close();
  });
  let quits = 0;
  let asked = 0;
  const server = stack.use(
    await listenForAdmin({
      host,
      port: 0,
      socketPath: () => socketPath,
      unavailable: () => "Envoy is gone",
      quit: () => {
        quits += 1;
      },
      drained: () => undefined,
    }),
  );
  const owned = stack.move();
  return {
    feed: async (input) => {
      if (!isForeign(input)) asked += requestsFor("quitquitquit", input);
      checkAnswer(await exchange({ host, port: server.port }, input));
      assert.equal(wrongPath, undefined, "a path reached Envoy");
    },
    whole: async () => {
      assert.ok(quits <= asked, `${quits} times to quit, ${asked} asked for`);
      const answer = await exchange(
        { host, port: server.port },
        Buffer.from("GET /server_info HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
      );
      assert.match(answer.toString("latin1"), /^HTTP\/1\.1 200 [^]*OK\n/);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
});

export const httpTargets: readonly FuzzTarget[] = [statusTarget, adminTarget];
