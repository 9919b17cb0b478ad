import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from "node:http2";
import { connect as connectSocket } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { ByteStream } from "../../../src/grpc/channel.ts";
import { GrpcChannel } from "../../../src/grpc/channel.ts";
import { GrpcError } from "../../../src/grpc/grpc-error.ts";
import type { CallContext } from "../../../src/grpc/server.ts";
import { StreamServer } from "../../../src/grpc/stream-server.ts";
import { sleep } from "../../../src/lifecycle/sleep.ts";
import { GrpcJsChannel } from "../../support/grpc-js-channel.ts";
import { eventually } from "../../support/eventually.ts";
import { grpcFrame } from "../../support/http2-server.ts";
import { inboxOf } from "../../support/inbox.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const method = "/test.Service/Method";

type Handler = (stream: ByteStream, context: CallContext) => Promise<void>;

interface Served extends AsyncDisposable {
  readonly path: string;
  readonly address: string;
}

async function serve(handler: Handler): Promise<Served> {
  const stack = new AsyncDisposableStack();
  const path = join(stack.use(temporaryFolder()).path, "socket");
  stack.use(
    await StreamServer.listen({ path, mode: 0o600 }, [
      {
        name: "test.Service",
        streams: { Method: handler },
        unary: { Double: (request) => Promise.resolve(Buffer.concat([request, request])) },
      },
    ]),
  );
  return { path, address: `unix:${path}`, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const echo: Handler = async (stream) => {
  for await (const message of stream) await stream.write(message);
};

const callHeaders = {
  ":method": "POST",
  ":path": method,
  te: "trailers",
  "content-type": "application/grpc",
};

async function withSession<T>(path: string, use: (session: ClientHttp2Session) => Promise<T>): Promise<T> {
  const session = connect("http://localhost", { createConnection: () => connectSocket(path) });
  session.on("error", () => undefined);
  try {
    return await use(session);
  } finally {
    session.destroy();
  }
}

interface Answer {
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What a bare HTTP/2 client gets for these bytes. */
function ask(
  path: string,
  changes: Readonly<Record<string, string | undefined>>,
  bytes: Uint8Array,
  halfClose = true,
): Promise<Answer> {
  return withSession(path, async (session) => {
    const headers = Object.fromEntries(
      Object.entries({ ...callHeaders, ...changes }).filter(([, value]) => value !== undefined),
    );
    const stream = session.request(headers, { endStream: false });
    stream.on("error", () => undefined);
    let [received, trailers]: IncomingHttpHeaders[] = [{}, {}];
    stream.on("response", (each) => (received = each));
    stream.on("trailers", (each) => (trailers = each));
    const body: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => body.push(chunk));
    stream.write(bytes);
    if (halfClose) stream.end();
    await once(stream, "close", { signal: AbortSignal.timeout(10_000) });
    return { headers: received ?? {}, trailers: trailers ?? {}, body: Buffer.concat(body) };
  });
}

const hello = grpcFrame(Buffer.from("hello"));

for (const Channel of [GrpcChannel, GrpcJsChannel]) {
  describe(`StreamServer, called by ${Channel.name}`, () => {
    test("gives messages back as they came, empty ones and large ones too", async () => {
      await using server = await serve(echo);
      using channel = new Channel({ address: server.address, tls: undefined });
      const stream = channel.stream(method, {});
      const inbox = inboxOf(stream);
      for (const size of [0, 1, 16_384, 65_536, 5_000_000, 0]) {
        const message = Buffer.alloc(size, "a message");
        stream.enqueue(message);
        assert.ok((await inbox.next()).equals(message), `${size} bytes`);
      }
      stream.end();
      await assert.rejects(inbox.next(), /the stream has ended/);
    });

    test("gives the order of many small ones back", async () => {
      await using server = await serve(echo);
      using channel = new Channel({ address: server.address, tls: undefined });
      const stream = channel.stream(method, {});
      const inbox = inboxOf(stream);
      for (let count = 0; count < 3_000; count += 1) stream.enqueue(Buffer.from(String(count)));
      for (let count = 0; count < 3_000; count += 1)
        assert.equal((await inbox.next()).toString(), String(count));
    });

    test("ends with the handler's status after what it wrote, and words of any language", async () => {
      await using server = await serve(async (stream) => {
        await stream.write(Buffer.from("before"));
        throw new GrpcError("RESOURCE_EXHAUSTED", "größer als 100 %\nund mehr");
      });
      using channel = new Channel({ address: server.address, tls: undefined });
      const inbox = inboxOf(channel.stream(method, {}));
      assert.equal((await inbox.next()).toString(), "before");
      await assert.rejects(inbox.next(), {
        code: "RESOURCE_EXHAUSTED",
        details: "größer als 100 %\nund mehr",
      });
    });

    test("ends with INTERNAL for an error that is none of gRPC's", async () => {
      await using server = await serve(() => Promise.reject(new Error("it broke")));
      using channel = new Channel({ address: server.address, tls: undefined });
      await assert.rejects(inboxOf(channel.stream(method, {})).next(), {
        code: "INTERNAL",
        details: "it broke",
      });
    });

    test("says what is not there", async () => {
      await using server = await serve(echo);
      using channel = new Channel({ address: server.address, tls: undefined });
      await assert.rejects(inboxOf(channel.stream("/test.Service/Other", {})).next(), {
        code: "UNIMPLEMENTED",
        details: /\/test\.Service\/Other/,
      });
    });

    test("tells the handler when the caller goes away, and gives it its metadata", async () => {
      let context: CallContext | undefined;
      await using server = await serve(async (stream, given) => {
        context = given;
        for await (const message of stream) await stream.write(message);
      });
      using channel = new Channel({ address: server.address, tls: undefined });
      const stream = channel.stream(method, { Authorization: "Bearer token" });
      stream.enqueue(Buffer.from("x"));
      await inboxOf(stream).next();
      assert.equal(context?.metadata("authorization"), "Bearer token");
      assert.equal(context.signal.aborted, false);
      stream.cancel();
      await eventually("the abort", () => assert.ok(context?.signal.aborted), { withinMs: 5_000 });
    });

    test("holds a writer back whose caller does not read, and goes on when it does", async () => {
      let written = 0;
      await using server = await serve(async (stream) => {
        for (; written < 100; written += 1) await stream.write(Buffer.alloc(1_048_576));
      });
      using channel = new Channel({ address: server.address, tls: undefined });
      const inbox = inboxOf(channel.stream(method, {}));
      await inbox.next();
      let before = -1;
      await eventually(
        "a writer that waits",
        () => {
          const last = before;
          before = written;
          assert.equal(written, last);
        },
        { withinMs: 10_000, everyMs: 500 },
      );
      assert.ok(written < 30, `${written} MiB were written`);
      for (let read = 1; read < 100; read += 1) await inbox.next();
      assert.equal(written, 100);
    });
  });
}

describe("StreamServer", () => {
  test("answers a unary call", async () => {
    await using server = await serve(echo);
    using channel = new GrpcChannel({ address: server.address, tls: undefined });
    const answer = await channel.unary({
      path: "/test.Service/Double",
      request: Buffer.from("ab"),
      metadata: {},
      timeoutMs: 5_000,
    });
    assert.equal(answer.toString(), "abab");
  });

  const refusals = [
    ["another HTTP method", { ":method": "GET" }, { ":status": 405 }],
    ["another content type", { "content-type": "application/json" }, { ":status": 415 }],
    ["no content type", { "content-type": undefined }, { ":status": 415 }],
    ["a compression", { "grpc-encoding": "gzip" }, { "grpc-status": "12" }],
    ["no te: trailers", { te: undefined }, { "grpc-status": "13" }],
    ["a timeout that is none", { "grpc-timeout": "soon" }, { "grpc-status": "13" }],
    ["another method", { ":path": "/test.Service/Other" }, { "grpc-status": "12" }],
  ] as const;
  for (const [what, changes, expected] of refusals) {
    test(`refuses ${what}`, async () => {
      await using server = await serve(echo);
      const { headers } = await ask(server.path, changes, hello);
      for (const [name, value] of Object.entries(expected)) assert.equal(headers[name], value);
    });
  }

  const damaged = [
    ["a compressed message", Buffer.from("010000000178", "hex"), "12"],
    ["a message with an unknown flag", Buffer.from("090000000178", "hex"), "13"],
    ["a message that is cut off", Buffer.from("00000000ff78", "hex"), "13"],
    ["a length of 4 GiB", Buffer.from("00ffffffff78", "hex"), "13"],
  ] as const;
  for (const [what, bytes, status] of damaged) {
    test(`ends ${what} with its status`, async () => {
      await using server = await serve(echo);
      const { headers } = await ask(server.path, {}, bytes);
      assert.equal(headers["grpc-status"], status);
    });
  }

  test("answers before it hangs up on a caller that has more to say", async () => {
    await using server = await serve(async (stream) => {
      await stream.write(Buffer.from("first"));
      throw new GrpcError("NOT_FOUND", "enough");
    });
    const { body, trailers } = await ask(server.path, {}, hello, false);
    assert.ok(body.equals(grpcFrame(Buffer.from("first"))));
    assert.equal(trailers["grpc-status"], "5");
    assert.equal(trailers["grpc-message"], "enough");
  });

  test("keeps the caller's deadline", async () => {
    let context: CallContext | undefined;
    await using server = await serve(async (stream, given) => {
      context = given;
      for await (const message of stream) await stream.write(message);
    });
    const { headers, trailers } = await ask(server.path, { "grpc-timeout": "100m" }, hello, false);
    assert.equal({ ...headers, ...trailers }["grpc-status"], "4");
    assert.ok(context?.signal.aborted);
  });

  for (const timeout of ["2147484S", "5000000S", "99999999H"]) {
    test(`a deadline of ${timeout} is not one of a millisecond`, async () => {
      await using server = await serve(async (stream) => {
        await sleep(20);
        for await (const message of stream) await stream.write(message);
      });
      const { headers, trailers } = await ask(server.path, { "grpc-timeout": timeout }, hello);
      assert.equal({ ...headers, ...trailers }["grpc-status"], "0");
    });
  }

  test("takes a call that may last a year", async () => {
    await using server = await serve(echo);
    using channel = new GrpcChannel({ address: server.address, tls: undefined });
    const answer = await channel.unary({
      path: method,
      request: Buffer.from("ab"),
      metadata: {},
      timeoutMs: 365 * 86_400_000,
    });
    assert.equal(answer.toString(), "ab");
  });

  test("serves others while one breaks off in the middle of a message, again and again", async () => {
    await using server = await serve(echo);
    using channel = new GrpcChannel({ address: server.address, tls: undefined });
    const stream = channel.stream(method, {});
    const inbox = inboxOf(stream);
    for (let round = 0; round < 30; round += 1) {
      await withSession(server.path, async (session) => {
        const broken = session.request(callHeaders, { endStream: false });
        broken.on("error", () => undefined);
        broken.write(Buffer.from("00000000ff", "hex"));
        await new Promise((resolve) => setTimeout(resolve, 1));
        if (round % 2 === 0) broken.close(round % 14);
      });
      stream.enqueue(Buffer.from(String(round)));
      assert.equal((await inbox.next()).toString(), String(round));
    }
  });

  test("closes with calls open", async () => {
    const server = await serve(echo);
    using channel = new GrpcChannel({ address: server.address, tls: undefined });
    const stream = channel.stream(method, {});
    const inbox = inboxOf(stream);
    stream.enqueue(Buffer.from("x"));
    await inbox.next();
    await server[Symbol.asyncDispose]();
    await assert.rejects(inbox.next(), { code: "UNAVAILABLE" });
  });

  for (const [what, said] of [
    ["has said nothing", ""],
    ["has begun", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\u0000\u0000\u0000\u0004\u0000\u0000\u0000\u0000\u0000"],
  ] as const) {
    test(`closes beside a client that ${what} and reads nothing`, { timeout: 20_000 }, async () => {
      const server = await serve(echo);
      const client = connectSocket(server.path);
      client.on("error", () => undefined);
      client.write(said);
      await once(client, "connect");
      await server[Symbol.asyncDispose]();
      client.destroy();
    });
  }
});
