import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createServer, type Server } from "node:tls";
import { lookAtEndpoint } from "../../../src/doctor/endpoint.ts";
import { dial } from "../../../src/grpc/dial.ts";
import { runCommand } from "../../../src/process/command.ts";
import { GuardedHttp } from "../../../src/wasm/fetch/guarded-http.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { type IssuedKeyPair, TestPki, validity } from "../../support/test-pki.ts";

const withinMs = 20_000;
const hour = validity(-60_000, 3_600_000);
const folder = temporaryFolder();
let pki: TestPki;

before(async () => {
  pki = await TestPki.create();
});

after(() => {
  folder[Symbol.dispose]();
});

class TlsServer implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  static async listen({ certificatePem, privateKeyPem }: IssuedKeyPair): Promise<TlsServer> {
    const server = createServer({
      cert: certificatePem,
      key: privateKeyPem,
      ALPNProtocols: ["h2", "http/1.1"],
    });
    server.on("tlsClientError", () => undefined);
    server.on("secureConnection", (socket) => {
      socket.on("error", () => undefined);
      socket.on("data", () => socket.end("HTTP/1.1 204 No Content\r\n\r\n"));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new TlsServer(server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    await once(this.#server, "close");
  }
}

/** Who trusts a server on localhost that has this certificate. */
async function trusting(pair: IssuedKeyPair): Promise<readonly string[]> {
  await using server = await TlsServer.listen(pair);
  const { port } = server;
  const rootCertificates = Buffer.from(pki.rootPem);
  const agent = dial(
    { address: `localhost:${port}`, tls: { rootCertificates } },
    AbortSignal.timeout(withinMs),
  ).then(
    (socket) => {
      socket.destroy();
      return ["agent"];
    },
    (error: unknown) => {
      assert.match(String(error), /altnames/);
      return [];
    },
  );
  const doctor = lookAtEndpoint(
    {
      ...{ host: "localhost", port, addresses: ["127.0.0.1"], tls: { rootCertificates } },
      ...{ path: "/x/y", metadata: {}, message: new Uint8Array() },
    },
    AbortSignal.timeout(withinMs),
  ).then((answer) => {
    const isRefused = answer.kind === "failed" && answer.step === "TLS handshake";
    if (isRefused) assert.match(answer.cause, /altnames/);
    return isRefused ? [] : ["doctor"];
  });
  const http = new GuardedHttp({
    guard: () => undefined,
    insecureRegistries: [],
    roots: () => rootCertificates,
    tlsPolicy: undefined,
    requestTimeoutMs: withinMs,
  });
  const wasm = http
    .send({ url: new URL(`https://localhost:${port}/a.wasm`), signal: new AbortController().signal })
    .then(
      (response) => {
        response[Symbol.dispose]();
        return ["wasm"];
      },
      (error: unknown) => {
        assert.match(String(error), /is not trusted/);
        return [];
      },
    );
  return (await Promise.all([agent, doctor, wasm])).flat();
}

describe("a server is trusted for its DNS names alone", () => {
  test("which one of them has", async () => {
    const pair = await pki.serverKeyPair(["localhost"], hour);
    assert.deepEqual(await trusting(pair), ["agent", "doctor", "wasm"]);
  });

  for (const [what, hosts] of [
    ["no name but its common name", []],
    ["a workload's SPIFFE ID and a common name", ["spiffe://cluster.local/ns/demo/sa/web"]],
    ["an address and a common name", ["127.0.0.1"]],
    ["another DNS name and a common name", ["other.example"]],
  ] as const) {
    test(`not with ${what}`, async () => {
      assert.deepEqual(await trusting(await pki.serverKeyPair(hosts, hour, "localhost")), []);
    });
  }
});

describe("the environment makes no server trusted", () => {
  test("NODE_TLS_REJECT_UNAUTHORIZED=0", async () => {
    const before = process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
    process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
    try {
      assert.deepEqual(await trusting(await pki.serverKeyPair(["other.example"], hour)), []);
    } finally {
      if (before === undefined) delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
      else process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = before;
    }
  });

  test("roots that are given to Node.js or OpenSSL, where none are configured", async () => {
    await using server = await TlsServer.listen(await pki.serverKeyPair(["localhost"], hour));
    const root = join(folder.path, "root.pem");
    writeFileSync(root, pki.rootPem);
    for (const env of [
      { NODE_EXTRA_CA_CERTS: root },
      { SSL_CERT_FILE: root, NODE_USE_SYSTEM_CA: "1" },
      { SSL_CERT_FILE: root, NODE_OPTIONS: "--use-openssl-ca" },
      { NODE_TLS_REJECT_UNAUTHORIZED: "0" },
    ]) {
      const { output } = await runCommand({
        file: process.execPath,
        args: [join(import.meta.dirname, "../../support/dial-main.ts"), `localhost:${server.port}`],
        env: { PATH: process.env["PATH"], ...env },
        signal: AbortSignal.timeout(withinMs),
      });
      assert.match(output.join("\n"), /refused: .*certificate/, JSON.stringify(env));
    }
  });
});
