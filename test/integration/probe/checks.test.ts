import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { GrpcError } from "../../../src/grpc/grpc-error.ts";
import { GrpcServer } from "../../../src/grpc/server.ts";
import { readProcessStat } from "../../../src/process/identity.ts";
import { HttpServer } from "../../../src/net/http-server.ts";
import { probeOnce } from "../../../src/probe/probe.ts";
import { openFilesOf } from "../../support/envoys-of.ts";
import { eventually } from "../../support/eventually.ts";
import { freePorts } from "../../support/free-ports.ts";
import { silentServer } from "../../support/silent-server.ts";
import { switching } from "../../support/switching-server.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { TestPki, validity } from "../../support/test-pki.ts";
import type { ProbeMethod, ProbeResult, ProbeTarget } from "../../../src/probe/method.ts";

const never = new AbortController().signal;

/** Only what is silent takes as long. */
const patientMs = 20_000;

const healthy: ProbeResult = { kind: "healthy" };

function unhealthy(result: ProbeResult): string {
  assert.equal(result.kind, "unhealthy");
  return result.reason;
}

function check(method: ProbeMethod, timeoutMs = patientMs): Promise<ProbeResult> {
  return probeOnce(method, timeoutMs, never);
}

function target(port: number, changes: Partial<ProbeTarget> = {}): ProbeTarget {
  return { host: "127.0.0.1", port, sourceAddress: undefined, ...changes };
}

async function refusingPort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

describe("a check by HTTP", () => {
  test("fails at once when the workload switches protocols", async () => {
    await using server = await switching();
    const result = await probeOnce(http(server.port, "/"), Infinity, never);
    assert.match(unhealthy(result), /it answered 101/);
  });

  type Http = Extract<ProbeMethod, { kind: "http" }>;
  const http = (port: number, path: string, changes: Partial<Http> = {}): Http => ({
    ...{ kind: "http", scheme: "http", headers: [], path, ...target(port) },
    ...changes,
  });

  async function app(seen: IncomingMessage[] = []): Promise<{ readonly port: number } & AsyncDisposable> {
    return HttpServer.listen({ host: "0.0.0.0", port: 0 }, (request, response) => {
      seen.push(request);
      answer(request, response);
    });
  }

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const [, word = "", rest = ""] = /^\/(\w+)\/?(.*)$/.exec(request.url ?? "") ?? [];
    if (word === "status") response.writeHead(Number(rest)).end();
    else if (word === "to") response.writeHead(302, { location: decodeURIComponent(rest) }).end();
    else if (word === "endless") {
      response.writeHead(200);
      const more = (): void => {
        if (!response.destroyed) response.write(Buffer.alloc(65_536), more);
      };
      more();
    } else response.writeHead(200).end("fine");
  }

  test("takes 200 to 399 for healthy and names any other status", async () => {
    await using server = await app();
    for (const status of [200, 204, 304, 399])
      assert.deepEqual(await check(http(server.port, `/status/${status}`)), healthy);
    for (const status of [400, 404, 500, 503])
      assert.equal(unhealthy(await check(http(server.port, `/status/${status}`))), `it answered ${status}`);
  });

  test("follows redirects within the host only", async () => {
    await using server = await app();
    const to = (location: string): string => `/to/${encodeURIComponent(location)}`;
    assert.deepEqual(await check(http(server.port, to("/status/204"))), healthy);
    assert.equal(unhealthy(await check(http(server.port, to("/status/500")))), "it answered 500");
    assert.deepEqual(await check(http(server.port, to("http://elsewhere.invalid/status/500"))), healthy);
    const circle = await HttpServer.listen({ host: "127.0.0.1", port: 0 }, (_, response) => {
      response.writeHead(307, { location: "/" }).end();
    });
    await using _ = circle;
    assert.equal(unhealthy(await check(http(circle.port, "/"))), "it redirected more than 10 times");
  });

  test("sends the headers that are given, its own name and the host it asks", async () => {
    const seen: IncomingMessage[] = [];
    await using server = await app(seen);
    const headers = [
      { name: "X-Probe", value: "a" },
      { name: "X-Probe", value: "b" },
    ];
    await check(http(server.port, "/a?b=c", { headers }));
    assert.equal(seen[0]?.url, "/a?b=c");
    assert.equal(seen[0].headers["x-probe"], "a, b");
    assert.equal(seen[0].headers["user-agent"], "istio-probe/1.0");
    assert.equal(seen[0].headers.host, `127.0.0.1:${server.port}`);
    assert.equal(seen[0].headers.connection, "close");
    await check(http(server.port, "/", { headers: [{ name: "host", value: "web.example" }] }));
    assert.equal(seen[1]?.headers.host, "web.example");
  });

  test("comes from the address that it is told", async () => {
    const from: (string | undefined)[] = [];
    await using server = await HttpServer.listen({ host: "127.0.0.1", port: 0 }, (request, response) => {
      from.push(request.socket.remoteAddress);
      response.end();
    });
    await check(http(server.port, "/", { sourceAddress: "127.0.0.6" }));
    assert.deepEqual(from, ["127.0.0.6"]);
  });

  test("does not wait for a body that has no end", async () => {
    await using server = await app();
    assert.deepEqual(await check(http(server.port, "/endless")), healthy);
  });

  test("may take as long as it is given: weeks, half a millisecond more, for ever", async () => {
    await using server = await app();
    for (const timeoutMs of [2 ** 31, 5_000_000_000, 20_000.5, Infinity])
      assert.deepEqual(await check(http(server.port, "/endless"), timeoutMs), healthy);
  });

  test("says why there was no answer", async () => {
    await using silent = await silentServer();
    assert.equal(unhealthy(await check(http(silent.port, "/"), 100)), "no answer within 100 ms");
    assert.match(unhealthy(await check(http(await refusingPort(), "/"))), /ECONNREFUSED/);
    const noise = createServer((socket) => socket.on("error", () => undefined).end("220 smtp\r\n"));
    await new Promise<void>((resolve) => {
      noise.listen(0, "127.0.0.1", resolve);
    });
    assert.match(unhealthy(await check(http((noise.address() as AddressInfo).port, "/"))), /Parse Error/);
    noise.close();
  });

  test("does not verify a certificate", async () => {
    const pki = await TestPki.create();
    const { certificatePem, privateKeyPem } = await pki.serverKeyPair(
      ["elsewhere.example"],
      validity(-7_200_000, -3_600_000),
    );
    const server = createTlsServer({ cert: certificatePem, key: privateKeyPem }, answer);
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const { port } = server.address() as AddressInfo;
    assert.deepEqual(await check(http(port, "/", { scheme: "https" })), healthy);
    assert.equal(unhealthy(await check(http(port, "/status/500", { scheme: "https" }))), "it answered 500");
    assert.equal(unhealthy(await check(http(port, "/", { scheme: "http" }))).length > 0, true);
    server.closeAllConnections();
    server.close();
  });
});

describe("a check by TCP", () => {
  test("is healthy once it is connected, from the address that it is told", async () => {
    const from: (string | undefined)[] = [];
    const server = createServer((socket) => {
      from.push(socket.remoteAddress);
      socket.on("error", () => undefined).resume();
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const { port } = server.address() as AddressInfo;
    assert.deepEqual(await check({ kind: "tcp", ...target(port, { sourceAddress: "127.0.0.6" }) }), healthy);
    await eventually("the connection", () => assert.deepEqual(from, ["127.0.0.6"]), { withinMs: 5_000 });
    server.close();
  });

  test("says what refused it", async () => {
    assert.match(
      unhealthy(await check({ kind: "tcp", ...target(await refusingPort()) })),
      /^connect ECONNREFUSED 127\.0\.0\.1:\d+$/,
    );
    assert.match(
      unhealthy(await check({ kind: "tcp", ...target(80, { host: "nowhere.invalid" }) })),
      /nowhere\.invalid/,
    );
  });
});

describe("a check by gRPC", () => {
  /** Answers by the name of the service that is asked for: the byte of its status, or an error. */
  async function app(): Promise<GrpcServer> {
    const answers: Readonly<Record<string, string>> = { "": "0801", up: "0801", down: "0802", old: "" };
    return GrpcServer.listen({ host: "127.0.0.1", port: 0 }, [
      {
        name: "grpc.health.v1.Health",
        unary: {
          Check: (request) => {
            const answer = answers[request.subarray(2).toString("utf8")];
            if (answer === undefined) return Promise.reject(new GrpcError("NOT_FOUND", "unknown service"));
            return Promise.resolve(Buffer.from(answer, "hex"));
          },
        },
      },
    ]);
  }
  const grpc = (port: number, service: string): ProbeMethod => ({
    ...{ kind: "grpc", service, ...target(port) },
  });

  test("is healthy when the service is SERVING, and says what it is otherwise", async () => {
    await using server = await app();
    assert.deepEqual(await check(grpc(server.port, "")), healthy);
    assert.deepEqual(await check(grpc(server.port, "up")), healthy);
    assert.equal(unhealthy(await check(grpc(server.port, "down"))), "it is NOT_SERVING");
    assert.equal(unhealthy(await check(grpc(server.port, "old"))), "it is UNKNOWN");
    assert.equal(
      unhealthy(await check(grpc(server.port, "other"))),
      "it answered gRPC status 5: unknown service",
    );
  });

  test("says why there was no answer", async () => {
    await using silent = await silentServer();
    assert.equal(unhealthy(await check(grpc(silent.port, ""), 200)), "no answer within 200 ms");
    await using http = await HttpServer.listen({ host: "127.0.0.1", port: 0 }, (_, response) => {
      response.end();
    });
    assert.notEqual(unhealthy(await check(grpc(http.port, ""))), "");
    await using bare = await GrpcServer.listen({ host: "127.0.0.1", port: 0 }, []);
    assert.match(unhealthy(await check(grpc(bare.port, ""))), /^it answered gRPC status 12/);
  });
});

describe("a check by command", () => {
  const shell = (script: string): ProbeMethod => ({
    kind: "exec",
    file: "/bin/sh",
    args: ["-c", script],
  });

  test("is healthy when the command exits with 0, and tells its code and last words otherwise", async () => {
    assert.deepEqual(await check(shell("echo fine; exit 0")), healthy);
    assert.equal(
      unhealthy(await check(shell("echo first; echo not ready >&2; exit 3"))),
      "/bin/sh exited with code 3: not ready",
    );
    assert.equal(unhealthy(await check(shell("kill -9 $$"))), "/bin/sh was ended by SIGKILL");
    assert.match(
      unhealthy(await check({ kind: "exec", file: "/nowhere", args: [] })),
      /^\/nowhere cannot be started: .*ENOENT/,
    );
  });

  test("is killed with all that it has started when its time is over", async () => {
    using folder = temporaryFolder();
    const pids = join(folder.path, "pids");
    const reason = unhealthy(
      await check(shell(`trap '' TERM; sleep 600 & echo $$ $! > ${pids}; wait; wait`), 1_000),
    );
    assert.equal(reason, "no answer within 1000 ms");
    const started = readFileSync(pids, "utf8").trim().split(" ").map(Number);
    assert.equal(started.length, 2);
    await eventually(
      "their end",
      () => {
        for (const pid of started) assert.match(readProcessStat(pid)?.state ?? "gone", /^(gone|Z)$/);
      },
      { withinMs: 5_000 },
    );
  });

  test("may write without end: only its last words are kept", async () => {
    const before = process.memoryUsage().rss;
    const flood = "yes 'all is well' | head -n 3000000; echo not ready; exit 1";
    assert.equal(unhealthy(await check(shell(flood))), "/bin/sh exited with code 1: not ready");
    const long = unhealthy(await check(shell("head -c 300000 /dev/zero | tr '\\\\0' x; exit 1")));
    assert.ok(long.length < 300, `${long.length} characters`);
    assert.ok(process.memoryUsage().rss - before < 100 * 1_048_576);
  });

  test("leaves no open file, though a daemon that it leaves behind holds its output", async () => {
    using folder = temporaryFolder();
    const pids = join(folder.path, "pids");
    const daemon = shell(`setsid sleep 600 & echo $! >> ${pids}; exit 1`);
    await check(daemon);
    const before = openFilesOf(process.pid).length;
    for (let round = 0; round < 5; round += 1) assert.equal((await check(daemon)).kind, "unhealthy");
    await eventually(
      "files closed",
      () => assert.ok(openFilesOf(process.pid).length <= before, `${openFilesOf(process.pid).length}`),
      { withinMs: 5_000 },
    );
    for (const pid of readFileSync(pids, "utf8").trim().split("\n")) process.kill(Number(pid), "SIGKILL");
  });
});

test("a check ends at once when it is told to stop", async () => {
  await using silent = await silentServer();
  const methods: readonly ProbeMethod[] = [
    { kind: "http", scheme: "http", headers: [], path: "/", ...target(silent.port) },
    { kind: "grpc", service: "", ...target(silent.port) },
    { kind: "exec", file: "/bin/sleep", args: ["600"] },
  ];
  for (const method of methods) {
    const stop = new AbortController();
    const result = probeOnce(method, 600_000, stop.signal);
    stop.abort();
    assert.equal((await result).kind, "unhealthy", method.kind);
  }
});
