/** What is left of connections that broke: nothing, whatever their errors refer to. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Http2Session, type ServerHttp2Session, createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { before, describe, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { queryObjects } from "node:v8";
import { GrpcServer } from "../../../src/grpc/server.ts";
import { StreamServer } from "../../../src/grpc/stream-server.ts";
import { preface } from "../../support/http2-bytes.ts";
import { TestPki, validity } from "../../support/test-pki.ts";

type SessionClass = new () => ServerHttp2Session;

let tls: { readonly certificateChain: string; readonly privateKey: string };
let sessionClass: SessionClass;

before(async () => {
  const pki = await TestPki.create();
  const { certificatePem, privateKeyPem } = await pki.serverKeyPair(
    ["localhost"],
    validity(-60_000, 3_600_000),
  );
  tls = { certificateChain: certificatePem, privateKey: privateKeyPem };
  sessionClass = await classOfSessions();
});

/** Node.js names it in no module. */
async function classOfSessions(): Promise<SessionClass> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client: Http2Session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const [session] = (await once(server, "session")) as [ServerHttp2Session];
  const found = session.constructor as SessionClass;
  client.destroy();
  server.close();
  await once(server, "close");
  return found;
}

/** Sends everything, the end included, before the handshake is done: all of it comes at once. */
async function sendAtOnce(port: number, bytes: Buffer): Promise<void> {
  const socket = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false, ALPNProtocols: ["h2"] });
  socket.on("error", () => undefined);
  socket.resume();
  socket.end(bytes);
  await once(socket, "close");
}

const hugeFrame = Buffer.alloc(65_536 - preface.length, 0x6f);

const broken: readonly (readonly [string, Buffer])[] = [
  ["no preface of HTTP/2", Buffer.alloc(65_536, 0x50)],
  ["a frame longer than any may be", Buffer.concat([preface, hugeFrame])],
];

const servers = {
  "the control plane's": () => GrpcServer.listen({ host: "127.0.0.1", port: 0, tls }, []),
  "the agent's": () => StreamServer.listen({ host: "127.0.0.1", port: 0, tls }, []),
};

describe("of sessions that ended with an error nothing is kept", () => {
  for (const [whose, listen] of Object.entries(servers)) {
    for (const [what, bytes] of broken) {
      test(`by ${whose} server, after ${what}`, async () => {
        await using server = await listen();
        for (let round = 0; round < 20; round += 1) await sendAtOnce(server.port, bytes);
        // The last may still be on its way out.
        assert.ok(queryObjects(sessionClass, { format: "count" }) < 5);
      });
    }
  }
});
