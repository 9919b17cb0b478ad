/** What the control plane takes in of whoever calls: little before it is known who that is, and bounded after. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { type ClientHttp2Stream, connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { gzipSync } from "node:zlib";
import { type GrpcService, GrpcServer } from "../../../src/grpc/server.ts";
import { GrpcChannel } from "../../../src/grpc/channel.ts";
import { GrpcError } from "../../../src/grpc/grpc-error.ts";
import { typeUrl } from "../../../src/xds/type-urls.ts";
import { DiscoveryPlane } from "../../support/discovery-plane.ts";
import { eventually } from "../../support/eventually.ts";
import { freePorts } from "../../support/free-ports.ts";
import { startOutrider } from "../../support/outrider.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const withinMs = 20_000;
const mebibyte = 2 ** 20;

const service: GrpcService = {
  name: "test.Service",
  admit: (context) => {
    if (context.metadata("authorization") === "Bearer known") return Promise.resolve();
    return Promise.reject(new GrpcError("UNAUTHENTICATED", "who are you?"));
  },
  unary: { Echo: (request) => Promise.resolve(request) },
  streams: {
    Talk: async (stream) => {
      for await (const message of stream) await stream.write(message);
    },
  },
};

interface Sent {
  readonly status: string;
  /** Most bytes that buffers of this process had while it sent, in MiB above the start. */
  readonly peakMiB: number;
}

/** Send a message of so many MiB in one call, or as much of it as is taken before the call ends. */
async function send(
  port: number,
  headers: Readonly<Record<string, string>>,
  prefix: Buffer,
  totalMiB: number,
): Promise<Sent> {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  session.on("error", () => undefined);
  const call: ClientHttp2Stream = session.request({
    ":method": "POST",
    ":path": "/test.Service/Echo",
    "content-type": "application/grpc",
    te: "trailers",
    ...headers,
  });
  const answer = { status: "" };
  for (const event of ["response", "trailers"] as const)
    call.on(event, (fields) => (answer.status ||= String(fields["grpc-status"] ?? "")));
  call.on("error", () => undefined);
  call.resume();
  const chunk = Buffer.alloc(mebibyte);
  const start = process.memoryUsage().arrayBuffers;
  let peak = 0;
  call.write(prefix);
  for (let sent = 0; sent < totalMiB && answer.status === "" && !call.destroyed; sent += 1) {
    if (!call.write(chunk))
      await Promise.race([once(call, "drain"), once(call, "close"), once(call, "response")]);
    peak = Math.max(peak, process.memoryUsage().arrayBuffers - start);
  }
  call.end();
  await eventually("the status", () => assert.notEqual(answer.status, ""), { withinMs });
  session.destroy();
  return { status: answer.status, peakMiB: peak / mebibyte };
}

function prefixOf(length: number, isCompressed = false): Buffer {
  const prefix = Buffer.from([isCompressed ? 1 : 0, 0, 0, 0, 0]);
  prefix.writeUInt32BE(length, 1);
  return prefix;
}

const known = { authorization: "Bearer known" };
const [unauthenticated, exhausted] = ["16", "8"];

describe("a message of 300 MiB", () => {
  const large = prefixOf(300 * mebibyte);
  test("of a caller who is not known is not taken in", async () => {
    await using server = await GrpcServer.listen({ host: "127.0.0.1", port: 0 }, [service]);
    const { status, peakMiB } = await send(server.port, {}, large, 300);
    assert.equal(status, unauthenticated);
    assert.ok(peakMiB < 32, `${peakMiB} MiB`);
  });

  test("of one who is known is refused by its length", async () => {
    await using server = await GrpcServer.listen({ host: "127.0.0.1", port: 0 }, [service]);
    const { status, peakMiB } = await send(server.port, known, large, 300);
    assert.equal(status, exhausted);
    assert.ok(peakMiB < 32, `${peakMiB} MiB`);
  });

  test("that is short as long as it is compressed is refused too", async () => {
    await using server = await GrpcServer.listen({ host: "127.0.0.1", port: 0 }, [service]);
    const compressed = gzipSync(Buffer.alloc(64 * mebibyte));
    const message = Buffer.concat([prefixOf(compressed.length, true), compressed]);
    const { status, peakMiB } = await send(server.port, { ...known, "grpc-encoding": "gzip" }, message, 0);
    assert.equal(status, exhausted);
    assert.ok(peakMiB < 32, `${peakMiB} MiB`);
  });
});

function silent(port: number, count: number): readonly Socket[] {
  return Array.from({ length: count }, () => {
    const socket = connect({ host: "127.0.0.1", port }).resume();
    socket.on("error", () => undefined);
    return socket;
  });
}

describe("connections that say nothing", () => {
  test("make room for who calls, and never take that of who is known", async () => {
    const limits = { most: 8, mostOfOneSource: 6 };
    await using server = await GrpcServer.listen({ host: "127.0.0.1", port: 0 }, [service], { limits });
    using channel = new GrpcChannel({ address: `127.0.0.1:${server.port}`, tls: undefined });
    const before = silent(server.port, 50);
    const stream = channel.stream("/test.Service/Talk", {});
    const answers = stream[Symbol.asyncIterator]();
    await stream.write(Buffer.from("a"));
    assert.equal((await answers.next()).value?.toString(), "a");
    const after = silent(server.port, 50);
    await eventually(
      "most of them are closed",
      () => assert.ok(after.filter((s) => s.destroyed).length >= 44),
      {
        withinMs,
      },
    );
    await stream.write(Buffer.from("b"));
    assert.equal((await answers.next()).value?.toString(), "b");
    for (const socket of [...before, ...after]) socket.destroy();
  });
});

test("SIGTERM ends the control plane within 5 seconds, whoever hangs on it", async () => {
  using folder = temporaryFolder();
  const [tls = 0, plain = 0, http = 0] = await freePorts(3);
  mkdirSync(join(folder.path, "mesh"));
  await using outrider = startOutrider({
    args: [
      "discovery",
      ...["--configDir", join(folder.path, "mesh"), "--stateDir", join(folder.path, "state")],
      ...["--secureGrpcPort", String(tls), "--grpcPort", String(plain), "--httpPort", String(http)],
    ],
  });
  await eventually("it is up", () => assert.match(outrider.lines.join("\n"), /control plane is up/), {
    withinMs,
  });
  const sockets = [
    // Half a handshake, none at all, half a request, and a preface with nothing behind it.
    ...silent(tls, 5),
    ...silent(plain, 5),
    ...silent(http, 5),
    connectTls({ host: "127.0.0.1", port: tls, rejectUnauthorized: false }),
  ];
  for (const socket of sockets) socket.on("error", () => undefined);
  for (const socket of silent(http, 3)) socket.write("GET /ready HTTP/1.1\r\nhost: ");
  const session = connectHttp2(`http://127.0.0.1:${plain}`);
  session.on("error", () => undefined);
  const stream = session.request({
    ":method": "POST",
    ":path": "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources",
    "content-type": "application/grpc",
    te: "trailers",
  });
  stream.on("error", () => undefined);
  // A stream that neither sends all of its request nor reads anything.
  stream.write(prefixOf(1_000));
  await eventually("they are connected", () => assert.ok(sockets.every((socket) => !socket.connecting)), {
    withinMs,
  });
  outrider.kill("SIGTERM");
  assert.deepEqual(await outrider.exitWithin(5_000), { kind: "exited", code: 0 });
  for (const socket of sockets) socket.destroy();
  session.destroy();
});

test("what a stream says that is no request ends it and tells why", async () => {
  await using plane = await DiscoveryPlane.start({});
  using channel = new GrpcChannel({ address: `127.0.0.1:${plane.server.ports.grpc ?? 0}`, tls: undefined });
  const path = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";
  const stream = channel.stream(path, {});
  stream.enqueue(Buffer.from([0xff, 0xff, 0xff]));
  await assert.rejects(stream[Symbol.asyncIterator]().next(), { code: "INVALID_ARGUMENT" });
  const node = { id: "sidecar~127.0.0.1~web-1.demo~demo.svc.cluster.local" };
  const healthy = plane.plain(node);
  healthy.send({ typeUrl: typeUrl.cluster });
  assert.ok((await healthy.next()).count > 0);
});
