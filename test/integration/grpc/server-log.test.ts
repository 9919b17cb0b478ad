import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { GrpcServer } from "../../../src/grpc/server.ts";
import { grpcCall, preface } from "../../support/http2-bytes.ts";

const host = "127.0.0.1";

/** What a library might quote: a token with an octet that gRPC does not take, and header fields that it does not know. */
const headers: readonly Readonly<Record<string, string>>[] = [
  { authorization: "Bearer secret\u00f6secret" },
  { authorization: "Bearer secret\tsecret\u0001" },
  { "x-bin": "secret%%%" },
  { "grpc-timeout": "secret" },
  { "grpc-encoding": "secret" },
];

test("a header that cannot be read is quoted nowhere", async (t) => {
  const written: string[] = [];
  for (const method of ["error", "log", "info", "warn", "debug"] as const)
    t.mock.method(console, method, (...parts: unknown[]) => written.push(parts.join(" ")));
  await using server = await GrpcServer.listen({ host, port: 0 }, [
    { name: "test.Service", unary: { Echo: (request) => Promise.resolve(request) } },
  ]);
  for (const more of headers) {
    const socket = connect(server.port, host);
    socket.write(Buffer.concat([preface, grpcCall(1, "/test.Service/Echo", [Buffer.from("hello")], more)]));
    await new Promise((resolve) => {
      socket
        .on("error", () => undefined)
        .on("data", (bytes) => {
          // Only the answer to the call has the number of its stream.
          if (bytes.includes(Buffer.from([0, 0, 0, 1]))) resolve(undefined);
        });
      socket.on("close", resolve);
    });
    socket.destroy();
  }
  assert.deepEqual(written, []);
});
