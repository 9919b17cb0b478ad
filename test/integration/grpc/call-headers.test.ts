import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { callHeaders } from "../../../src/config/decide/call-headers.ts";
import { type CallMetadata, GrpcChannel } from "../../../src/grpc/channel.ts";
import { type CallContext, GrpcServer } from "../../../src/grpc/server.ts";
import { StreamServer } from "../../../src/grpc/stream-server.ts";

const listen = { host: "127.0.0.1", port: 0 } as const;

function ask(channel: GrpcChannel, metadata: CallMetadata): Promise<Buffer> {
  const request = Buffer.from("ask");
  return channel.unary({ path: "/test.Service/Method", request, metadata, timeoutMs: 10_000 });
}

describe("headers of an operator", () => {
  const characters = Array.from("aZ9-_.:~ \n\tü=,;\u0000");
  const names = fc.oneof(
    fc.string({ unit: fc.constantFrom(...characters), maxLength: 6 }),
    fc.constantFrom(
      "Connection",
      "te",
      "Host",
      "grpc-status",
      "Upgrade",
      "x-Bin",
      "Cookie",
      "Date",
      "expect",
    ),
  );
  const values = fc.string({ unit: fc.constantFrom(...characters), maxLength: 8 });
  const variables = fc.dictionary(
    names.map((name) => `CA_HEADER_${name}`),
    values,
    { maxKeys: 4 },
  );

  for (const [kind, server] of [
    ["gRPC's own library", GrpcServer],
    ["node:http2", StreamServer],
  ] as const) {
    test(`arrive as they were accepted at a server on ${kind}`, async () => {
      let context: CallContext | undefined;
      const answer = (request: Buffer, given: CallContext): Promise<Buffer> => {
        context = given;
        return Promise.resolve(request);
      };
      await using listening = await server.listen(listen, [
        { name: "test.Service", unary: { Method: answer } },
      ]);
      using channel = new GrpcChannel({ address: `127.0.0.1:${listening.port}`, tls: undefined });
      await fc.assert(
        fc.asyncProperty(variables, async (env) => {
          const headers = callHeaders(env, "CA_HEADER_", []);
          await ask(channel, headers);
          for (const [name, value] of Object.entries(headers)) {
            const received = context?.metadata(name);
            const read = name.endsWith("-bin") ? Buffer.from(value, "base64").toString() : value;
            assert.ok(received === value || received === read, `${name}: ${String(received)}, not ${value}`);
          }
        }),
        { numRuns: 300 },
      );
    });
  }
});

test("a header that HTTP/2 does not take fails its call alone", async () => {
  await using server = await StreamServer.listen(listen, [
    { name: "test.Service", unary: { Method: (request) => Promise.resolve(request) } },
  ]);
  const address = `127.0.0.1:${server.port}`;
  for (const name of ["connection", "upgrade", ":foo", "a b"]) {
    using channel = new GrpcChannel({ address, tls: undefined });
    await assert.rejects(ask(channel, { [name]: "x" }), { code: "UNAVAILABLE" });
  }
  // What a connection does after its channel was closed would end the process by now.
  using channel = new GrpcChannel({ address, tls: undefined });
  assert.equal((await ask(channel, {})).toString(), "ask");
});
