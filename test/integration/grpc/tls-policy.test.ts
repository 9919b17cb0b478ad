/** A compliance policy on the wire: what a server is offered, and what is refused. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { createServer, type Server, type TlsOptions } from "node:tls";
import { compliantTls } from "../../../src/config/decide/compliance.ts";
import { GrpcChannel } from "../../../src/grpc/channel.ts";
import { dial } from "../../../src/grpc/dial.ts";
import { GrpcServer } from "../../../src/grpc/server.ts";
import { TestPki, validity } from "../../support/test-pki.ts";

let pki: TestPki;
let identity: { readonly cert: string; readonly key: string };

before(async () => {
  pki = await TestPki.create();
  const pair = await pki.serverKeyPair(["localhost"], validity(-60_000, 3_600_000));
  identity = { cert: pair.certificatePem, key: pair.privateKeyPem };
});

interface Handshake {
  readonly protocol: string | null;
  readonly suite: string | undefined;
}

/** Connects by a policy to a server with these settings; what both agreed on. */
async function handshake(policy: string, settings: TlsOptions): Promise<Handshake> {
  const server: Server = createServer({ ...identity, ALPNProtocols: ["h2"], ...settings });
  server.on("tlsClientError", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const agreed = new Promise<Handshake>((resolve) => {
    server.once("secureConnection", (socket) => {
      resolve({ protocol: socket.getProtocol(), suite: socket.getCipher().name });
    });
  });
  try {
    const dialled = dial(
      {
        address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
        tls: {
          rootCertificates: Buffer.from(pki.rootPem),
          serverName: "localhost",
          ...compliantTls(policy),
        },
      },
      AbortSignal.timeout(10_000),
    );
    // The server has agreed a moment after the client.
    const [socket, agreement] = await Promise.all([dialled, agreed]);
    socket.destroy();
    return agreement;
  } finally {
    server.close();
  }
}

describe("with the policy", () => {
  test("fips-140-2 it is TLS 1.2 with AES-GCM on P-256, however much the server can", async () => {
    const { protocol, suite } = await handshake("fips-140-2", {});
    assert.equal(protocol, "TLSv1.2");
    assert.match(suite ?? "", /^ECDHE-(RSA|ECDSA)-AES(128|256)-GCM-SHA\d+$/);
    await assert.rejects(handshake("fips-140-2", { minVersion: "TLSv1.3" }));
    await assert.rejects(handshake("fips-140-2", { ecdhCurve: "X25519" }));
    await assert.rejects(
      handshake("fips-140-2", { ciphers: "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305" }),
    );
  });

  test("fips-140-3 it is AES-GCM on P-256 or P-384, in TLS 1.3 as well", async () => {
    const { protocol, suite } = await handshake("fips-140-3", {});
    assert.equal(protocol, "TLSv1.3");
    assert.match(suite ?? "", /^TLS_AES_(128|256)_GCM/);
    assert.equal((await handshake("fips-140-3", { ecdhCurve: "P-384" })).protocol, "TLSv1.3");
    await assert.rejects(handshake("fips-140-3", { ecdhCurve: "X25519" }));
  });

  test("pqc it is the hybrid key exchange or nothing", async () => {
    assert.equal((await handshake("pqc", { ecdhCurve: "X25519MLKEM768" })).protocol, "TLSv1.3");
    await assert.rejects(handshake("pqc", { ecdhCurve: "X25519" }));
    await assert.rejects(handshake("pqc", { maxVersion: "TLSv1.2" }));
  });

  test("none it is whatever both can", async () => {
    assert.equal((await handshake("", { ecdhCurve: "X25519" })).protocol, "TLSv1.3");
  });
});

describe("a channel of calls", () => {
  let server: GrpcServer;
  before(async () => {
    const tls = { certificateChain: identity.cert, privateKey: identity.key };
    server = await GrpcServer.listen({ host: "127.0.0.1", port: 0, tls }, []);
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
  });

  for (const policy of ["", "fips-140-2", "fips-140-3", "pqc"]) {
    test(`gets through to a server ${policy === "" ? "without a policy" : `with ${policy}`}`, async () => {
      using channel = new GrpcChannel({
        address: `127.0.0.1:${server.port}`,
        tls: {
          rootCertificates: Buffer.from(pki.rootPem),
          serverName: "localhost",
          ...compliantTls(policy),
        },
      });
      const call = {
        path: "/nobody.Serves/This",
        request: new Uint8Array(),
        metadata: {},
        timeoutMs: 10_000,
      };
      await assert.rejects(channel.unary(call), /UNIMPLEMENTED|unimplemented|does not implement/i);
    });
  }
});
