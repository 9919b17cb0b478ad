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
