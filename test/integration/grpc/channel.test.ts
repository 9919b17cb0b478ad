import assert from "node:assert/strict";
import { constants, type ServerHttp2Stream } from "node:http2";
import { createServer, type AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { GrpcServer } from "../../../src/grpc/server.ts";
import { GrpcChannel } from "../../../src/grpc/channel.ts";
import { freePorts } from "../../support/free-ports.ts";
import { grpcFrame, listenForHttp2 } from "../../support/http2-server.ts";
import { inboxOf } from "../../support/inbox.ts";
import { TestPki, validity } from "../../support/test-pki.ts";

const method = "/test.Service/Method";
const grpcHeaders = { ":status": 200, "content-type": "application/grpc" } as const;
const hello = grpcFrame(Buffer.from("hello"));

/** Answer once the call's first bytes have come. */
async function served(
  answer: (stream: ServerHttp2Stream) => void,
): Promise<{ address: string } & AsyncDisposable> {
  return listenForHttp2((stream) => {
    stream.once("data", () => {
      answer(stream);
    });
  });
}

/** A call to such a server, with one message sent. */
function call(address: string) {
  const channel = new GrpcChannel({ address, tls: undefined });
  const stream = channel.stream(method, {});
  stream.enqueue(Buffer.from("ask"));
  return {
    inbox: inboxOf(stream),
    stream,
    [Symbol.dispose]: () => {
      channel[Symbol.dispose]();
    },
  };
}

type Case = readonly [
  what: string,
  answer: (stream: ServerHttp2Stream) => void,
  error: { readonly code: string; readonly details?: RegExp },
];

const endings: readonly Case[] = [
  [
    "a status alone",
    (stream) => {
      stream.respond({ ...grpcHeaders, "grpc-status": "7", "grpc-message": "no%20way" }, { endStream: true });
    },
    { code: "PERMISSION_DENIED", details: /^no way$/ },
  ],
  [
    "an HTTP error",
    (stream) => {
      stream.respond({ ":status": 503, "content-type": "text/html" });
      stream.end("<h1>busy</h1>");
    },
    { code: "UNAVAILABLE", details: /503/ },
  ],
  [
    "a page that is no gRPC",
    (stream) => {
      stream.respond({ ":status": 200, "content-type": "text/html" });
      stream.end("<h1>hello</h1>");
    },
    { code: "UNKNOWN", details: /text\/html/ },
  ],
  [
    "a compression that was not agreed on",
    (stream) => {
      stream.respond({ ...grpcHeaders, "grpc-encoding": "gzip" });
      stream.write(hello);
    },
    { code: "UNIMPLEMENTED", details: /gzip/ },
  ],
  [
    "a compressed message",
    (stream) => {
      stream.respond(grpcHeaders);
      stream.write(Buffer.from("010000000178", "hex"));
    },
    { code: "UNIMPLEMENTED", details: /compressed/ },
  ],
  [
    "an end without a status",
    (stream) => {
      stream.respond(grpcHeaders);
      stream.end();
    },
    { code: "INTERNAL" },
  ],
  [
    "half a message and a good status",
    (stream) => {
      stream.respond(grpcHeaders, { waitForTrailers: true });
      stream.once("wantTrailers", () => {
        stream.sendTrailers({ "grpc-status": "0" });
      });
      stream.end(hello.subarray(0, 7));
    },
    { code: "INTERNAL", details: /middle of a message/ },
  ],
  [
    "a status that gRPC does not have",
    (stream) => {
      stream.respond({ ...grpcHeaders, "grpc-status": "x" }, { endStream: true });
    },
    { code: "UNKNOWN" },
  ],
  [
    "the end of the connection",
    (stream) => {
      stream.respond(grpcHeaders);
      stream.session?.socket.destroy();
      stream.session?.destroy();
    },
    { code: "UNAVAILABLE", details: /Connection dropped/ },
  ],
  [
    "GOAWAY with an error",
    (stream) => {
      stream.respond(grpcHeaders);
      stream.session?.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    },
    { code: "UNAVAILABLE", details: /error 11/ },
  ],
  ...(
    [
      [constants.NGHTTP2_CANCEL, "CANCELLED"],
      [constants.NGHTTP2_INTERNAL_ERROR, "INTERNAL"],
      [constants.NGHTTP2_PROTOCOL_ERROR, "INTERNAL"],
      [constants.NGHTTP2_REFUSED_STREAM, "UNAVAILABLE"],
      [constants.NGHTTP2_ENHANCE_YOUR_CALM, "RESOURCE_EXHAUSTED"],
      [constants.NGHTTP2_INADEQUATE_SECURITY, "PERMISSION_DENIED"],
    ] as const
  ).map(([reset, code]): Case => [
    `a reset with HTTP/2's code ${reset}`,
    (stream) => {
      stream.respond(grpcHeaders);
      setImmediate(() => {
        stream.close(reset);
      });
    },
    { code },
  ]),
];

describe("GrpcChannel", () => {
  for (const [what, answer, error] of endings) {
    test(`hears ${what} as ${error.code}`, async () => {
      await using server = await served(answer);
      using client = call(server.address);
      await assert.rejects(client.inbox.next(), error);
      // Nothing that is written to a call that has ended waits for anybody.
      await client.stream.write(Buffer.alloc(1_000_000));
    });
  }

  test("gives out what came before the end", async () => {
    await using server = await served((stream) => {
      stream.respond(grpcHeaders, { waitForTrailers: true });
      stream.once("wantTrailers", () => {
        stream.sendTrailers({ "grpc-status": "14", "grpc-message": "later" });
      });
      stream.end(Buffer.concat([hello, hello]));
    });
    using client = call(server.address);
    assert.equal((await client.inbox.next()).toString(), "hello");
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal((await client.inbox.next()).toString(), "hello");
    await assert.rejects(client.inbox.next(), { code: "UNAVAILABLE", details: "later" });
  });

  test("finishes its calls after GOAWAY in good order", async () => {
    await using server = await served((stream) => {
      stream.respond(grpcHeaders, { waitForTrailers: true });
      stream.session?.goaway();
      stream.once("wantTrailers", () => {
        stream.sendTrailers({ "grpc-status": "0" });
      });
      setTimeout(() => stream.end(hello), 50);
    });
    using client = call(server.address);
    assert.equal((await client.inbox.next()).toString(), "hello");
    await assert.rejects(client.inbox.next(), /the stream has ended/);
  });

  test("is cancelled from this side at once, whatever is under way", async () => {
    await using server = await served((stream) => {
      stream.respond(grpcHeaders);
    });
    using client = call(server.address);
    const next = client.inbox.next();
    client.stream.cancel();
    await assert.rejects(next, { code: "CANCELLED" });
  });

  test("says why there is no connection", async () => {
    const [port = 0] = await freePorts(1);
    using client = call(`127.0.0.1:${port}`);
    await assert.rejects(client.inbox.next(), {
      code: "UNAVAILABLE",
      details: new RegExp(`connect ECONNREFUSED 127.0.0.1:${port}`),
    });
    using nobody = call("unix:/nonexistent/socket");
    await assert.rejects(nobody.inbox.next(), { code: "UNAVAILABLE", details: /ENOENT/ });
  });

  test("says that what answers is no HTTP/2", async () => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
    }).listen(0, "127.0.0.1");
    try {
      await new Promise((resolve) => server.once("listening", resolve));
      using client = call(`127.0.0.1:${(server.address() as AddressInfo).port}`);
      await assert.rejects(client.inbox.next(), { code: "UNAVAILABLE" });
    } finally {
      server.close();
    }
  });

  test("trusts the root that it was given, for the name that it was given, and no other", async () => {
    const pki = await TestPki.create();
    const { certificatePem, privateKeyPem } = await pki.serverKeyPair(
      ["istiod.istio-system.svc"],
      validity(-60_000, 3_600_000),
    );
    await using server = await GrpcServer.listen(
      {
        host: "127.0.0.1",
        port: 0,
        tls: { certificateChain: certificatePem, privateKey: privateKeyPem },
      },
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
    );
    const address = `127.0.0.1:${server.port}`;
    const ask = async (rootPem: string, serverName: string | undefined): Promise<string> => {
      using channel = new GrpcChannel({
        address,
        tls: { rootCertificates: Buffer.from(rootPem), serverName },
      });
      const stream = channel.stream(method, {});
      stream.enqueue(Buffer.from("over TLS"));
      return (await inboxOf(stream).next()).toString();
    };
    assert.equal(await ask(pki.rootPem, "istiod.istio-system.svc"), "over TLS");
    await assert.rejects(ask(pki.rootPem, undefined), { code: "UNAVAILABLE", details: /altnames/ });
    const other = await TestPki.create();
    await assert.rejects(ask(other.rootPem, "istiod.istio-system.svc"), {
      code: "UNAVAILABLE",
      details: /certificate/,
    });
  });
});
