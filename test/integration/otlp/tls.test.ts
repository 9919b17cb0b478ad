import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import type { OtlpTarget } from "../../../src/otlp/options.ts";
import { OtlpTransport } from "../../../src/otlp/transport.ts";
import { startModuleServer } from "../../support/module-server.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { TestPki, validity } from "../../support/test-pki.ts";

describe("an OTLP endpoint of https", () => {
  test("is authenticated by the certificate that is given, read anew, and by no other", async () => {
    using folder = temporaryFolder();
    const [pki, stranger] = [await TestPki.create(), await TestPki.create()];
    const { certificatePem: certificateChain, privateKeyPem: privateKey } = await pki.serverKeyPair(
      ["localhost"],
      validity(-60_000, 3_600_000),
    );
    await using server = await startModuleServer({ certificateChain, privateKey });
    server.answers.set("/v1/traces", (_, response) => response.writeHead(200).end("{}"));
    const rootPath = `${folder.path}/ca.pem`;
    const target: OtlpTarget = {
      url: `https://localhost:${server.port}/v1/traces`,
      protocol: "http/json",
      headers: {},
      timeoutMs: 1_500,
      compression: "none",
      tls: { rootPath, certificatePath: undefined, keyPath: undefined },
    };
    const transport = new OtlpTransport(target, "traces");
    const body = Buffer.from("{}");

    writeFileSync(rootPath, stranger.rootPem);
    const refused = await transport.send(body, target.timeoutMs);
    assert.equal(refused.status, "failure");
    assert.match(String(refused.error), /certificate/);
    assert.deepEqual(server.requests, []);

    writeFileSync(rootPath, pki.rootPem);
    assert.equal((await transport.send(body, 30_000)).status, "success");
    assert.deepEqual(server.requests, ["POST /v1/traces"]);

    const own = new OtlpTransport({ ...target, tls: { ...target.tls, rootPath: undefined } }, "traces");
    assert.equal((await own.send(body, target.timeoutMs)).status, "failure", "Node.js' roots do not know it");
  });

  test("that ends while something is sent ends that", async () => {
    await using server = await startModuleServer();
    server.answers.set("/v1/traces", () => undefined);
    const transport = new OtlpTransport(
      {
        url: `${server.url}/v1/traces`,
        protocol: "http/json",
        headers: {},
        timeoutMs: 600_000,
        compression: "none",
        tls: { rootPath: undefined, certificatePath: undefined, keyPath: undefined },
      },
      "traces",
    );
    const sending = transport.send(Buffer.from("{}"), 600_000);
    transport.shutdown();
    assert.equal((await sending).status, "failure");
  });
});
