import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { GrpcChannel } from "../../../src/grpc/channel.ts";
import { GrpcError } from "../../../src/grpc/grpc-error.ts";
import { GrpcServer } from "../../../src/grpc/server.ts";
import { sleep } from "../../../src/lifecycle/sleep.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

test("a handler that throws while it reads ends the stream with its status, also for a late reader", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "socket");
  await using _server = await GrpcServer.listen({ path, mode: 0o600 }, [
    {
      name: "test.Service",
      streams: {
        Method: async (stream) => {
          for await (const message of stream)
            throw new GrpcError("INVALID_ARGUMENT", `not ${message.toString()}`);
        },
      },
    },
  ]);
  using channel = new GrpcChannel({ address: `unix:${path}`, tls: undefined });
  const stream = channel.stream("/test.Service/Method", {});
  stream.enqueue(Buffer.from("this"));
  await sleep(100);
  await assert.rejects(stream[Symbol.asyncIterator]().next(), {
    code: "INVALID_ARGUMENT",
    details: "not this",
  });
});

for (const timeoutMs of [2 ** 31, 3_000_000_000, 9_999 * 3_600_000, Infinity]) {
  test(`a call to gRPC's own library may take ${timeoutMs} ms, and so is not over at once`, async () => {
    const answer = async (request: Buffer): Promise<Buffer> => {
      await sleep(20);
      return request;
    };
    await using server = await GrpcServer.listen({ host: "127.0.0.1", port: 0 }, [
      { name: "test.Service", unary: { Method: answer } },
    ]);
    using channel = new GrpcChannel({ address: `127.0.0.1:${server.port}`, tls: undefined });
    const request = Buffer.from("ask");
    const got = await channel.unary({ path: "/test.Service/Method", request, metadata: {}, timeoutMs });
    assert.equal(got.toString(), "ask");
  });
}

test("a connection of some age is asked to go, and another one is served", async () => {
  await using server = await GrpcServer.listen(
    { host: "127.0.0.1", port: 0 },
    [
      {
        name: "test.Service",
        streams: {
          Method: async (stream) => {
            for await (const message of stream) await stream.write(message);
          },
        },
      },
    ],
    { connectionAge: { mostMs: 200, graceMs: 100 } },
  );
  for (let connection = 0; connection < 2; connection += 1) {
    using channel = new GrpcChannel({ address: `127.0.0.1:${server.port}`, tls: undefined });
    const stream = channel.stream("/test.Service/Method", {});
    const answers = stream[Symbol.asyncIterator]();
    stream.enqueue(Buffer.from("ask"));
    assert.equal(String((await answers.next()).value), "ask");
    // Nobody ends it but the server.
    await assert.rejects(answers.next(), GrpcError);
  }
});
