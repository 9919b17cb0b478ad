import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { connect } from "node:tls";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { CaMaterialError } from "../../../src/controlplane/ca/check-material.ts";
import { openTokenIssuer, type TokenIssuer } from "../../../src/controlplane/demo-tokens.ts";
import { type DiscoveryOptions, DiscoveryServer } from "../../../src/controlplane/discovery-server.ts";
import { GrpcChannel } from "../../../src/grpc/channel.ts";
import { createCertificatePath } from "../../../src/identity/ca-client.ts";
import { readPushedBundle } from "../../../src/identity/pushed-bundle.ts";
import { createCertificateRequest } from "../../../src/pki/certificate-request.ts";
import {
  IstioCertificateRequestSchema,
  IstioCertificateResponseSchema,
} from "../../../src/proto/agent/ca_pb.js";
import { typeUrl } from "../../../src/xds/type-urls.ts";
import { type CaFiles, certificateFiles } from "../../support/ca-files.ts";
import { discoveryOptions } from "../../support/discovery-options.ts";
import { DiscoveryPlane } from "../../support/discovery-plane.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { testLog } from "../../support/test-log.ts";

const withinMs = 20_000;
const hour = 3_600_000;
const key = { algorithm: "ECDSA", curve: "P256" } as const;
const web = { namespace: "demo", serviceAccount: "web", audience: "istio-ca", lifetimeMs: hour };

function writeFiles(folder: string, files: CaFiles): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder, `${name}.new`), text);
    renameSync(join(folder, `${name}.new`), join(folder, name));
  }
}

async function optionsIn(folder: string, changes: Partial<DiscoveryOptions>): Promise<DiscoveryOptions> {
  return (await discoveryOptions(folder, changes)).options;
}

/** Root and names of what the CA signs. */
async function sign(
  server: DiscoveryServer,
  token: string,
  csr?: string,
  validityDuration = 60n,
): Promise<{ readonly root: string; readonly names: string }> {
  const requestPem = csr ?? (await createCertificateRequest(key, "spiffe://x/y")).requestPem;
  using channel = new GrpcChannel({
    address: `127.0.0.1:${server.ports.secureGrpc}`,
    tls: { rootCertificates: Buffer.from(server.rootCertificatePem) },
  });
  const answer = await channel.unary({
    path: createCertificatePath,
    request: toBinary(
      IstioCertificateRequestSchema,
      create(IstioCertificateRequestSchema, { csr: requestPem, validityDuration }),
    ),
    metadata: { authorization: `Bearer ${token}` },
    timeoutMs: 10_000,
  });
  const { certChain } = fromBinary(IstioCertificateResponseSchema, answer);
  return {
    root: certChain.at(-1) ?? "",
    names: new X509Certificate(certChain[0] ?? "").subjectAltName ?? "",
  };
}

/** Certificates without what surrounds them. */
function shown(pem: string): string {
  return pem.replaceAll(/\s/g, "");
}

/** Name of the authority that issued the server's certificate. */
function servedIssuer(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(
      { host: "127.0.0.1", port, rejectUnauthorized: false, ALPNProtocols: ["h2"] },
      () => {
        resolve(socket.getPeerX509Certificate()?.issuer ?? "");
        socket.destroy();
      },
    );
    socket.on("error", reject);
  });
}

describe("the control plane's CA", () => {
  test("follows its JWKS: a new key is accepted, one that is gone is not, half a file changes nothing", async () => {
    using folder = temporaryFolder();
    const [first, second] = await Promise.all(
      ["first", "second"].map((name) => openTokenIssuer(join(folder.path, name))),
    );
    assert.ok(first !== undefined && second !== undefined);
    const jwksFile = join(folder.path, "jwks.json");
    const trust = (...issuers: readonly TokenIssuer[]): void => {
      writeFileSync(jwksFile, JSON.stringify({ keys: issuers.flatMap(({ jwks }) => jwks.keys) }));
    };
    trust(first);
    const { log, lines } = testLog();
    const { issuer } = first;
    const jwt = { jwks: first.jwks, jwksFile, issuer, audiences: ["istio-ca"] };
    await using server = await DiscoveryServer.listen(await optionsIn(folder.path, { jwt }), { log });
    const [old, next] = await Promise.all([first.issue(web), second.issue(web)]);
    const outcomes = async (): Promise<readonly boolean[]> =>
      (await Promise.allSettled([sign(server, old), sign(server, next)])).map(
        ({ status }) => status === "fulfilled",
      );
    assert.deepEqual(await outcomes(), [true, false]);

    trust(first, second);
    await eventually("both keys", async () => assert.deepEqual(await outcomes(), [true, true]), { withinMs });
    trust(second);
    await eventually("the old key gone", async () => assert.deepEqual(await outcomes(), [false, true]), {
      withinMs,
    });
    writeFileSync(jwksFile, '{"keys":[');
    await eventually(
      "a word",
      () => assert.match(lines.join("\n"), /JWKS refused, the last good one stays/),
      {
        withinMs,
      },
    );
    rmSync(jwksFile);
    await eventually("another word", () => assert.match(lines.join("\n"), /ENOENT/), { withinMs });
    assert.deepEqual(await outcomes(), [false, true]);
  });

  test("follows its folder: signs and serves with a new CA, and stays with the last good one", async () => {
    using folder = temporaryFolder();
    const [old, next, bad] = await Promise.all([
      certificateFiles(),
      certificateFiles(),
      certificateFiles({ isCa: false }),
    ]);
    const rootCertificateFolder = join(folder.path, "cacerts");
    writeFiles(rootCertificateFolder, old);
    const { log, lines } = testLog();
    const options = await optionsIn(folder.path, { rootCertificateFolder });
    const token = await (await openTokenIssuer(options.stateDir)).issue(web);
    await using server = await DiscoveryServer.listen(options, { log });
    const usesRoot = async (files: CaFiles): Promise<void> => {
      const issuer = new X509Certificate(files["ca-cert.pem"]).subject;
      assert.equal(await servedIssuer(server.ports.secureGrpc), issuer);
      const answer = await sign(server, token);
      assert.equal(answer.names, "URI:spiffe://cluster.local/ns/demo/sa/web");
      assert.equal(answer.root.trim(), files["root-cert.pem"].trim());
      assert.equal(
        readFileSync(join(options.stateDir, "root-cert.pem"), "utf8").trim(),
        files["root-cert.pem"].trim(),
      );
    };
    await usesRoot(old);
    writeFiles(rootCertificateFolder, next);
    await eventually("the next CA", () => usesRoot(next), { withinMs });
    writeFiles(rootCertificateFolder, bad);
    await eventually(
      "a word",
      () => assert.match(lines.join("\n"), /CA refused, the last good one stays.*is not a CA's certificate/s),
      { withinMs },
    );
    await usesRoot(next);
  });

  test("renews its own certificate before it ends", async () => {
    using folder = temporaryFolder();
    const options = await optionsIn(folder.path, { defaultWorkloadTtlMs: 4_000, maxWorkloadTtlMs: 4_000 });
    const { log, lines } = testLog();
    const token = await (await openTokenIssuer(options.stateDir)).issue(web);
    await using server = await DiscoveryServer.listen(options, { log });
    await eventually(
      "two renewals",
      () => assert.ok(lines.filter((line) => line.includes("server certificate renewed")).length >= 2),
      { withinMs },
    );
    assert.match((await sign(server, token, undefined, 1n)).names, /web$/);
  });

  test("ends no stream when its certificate is renewed and its CA replaced", async () => {
    using folder = temporaryFolder();
    const [old, next] = await Promise.all([certificateFiles(), certificateFiles()]);
    const rootCertificateFolder = join(folder.path, "cacerts");
    writeFiles(rootCertificateFolder, old);
    await using plane = await DiscoveryPlane.start(
      {},
      { rootCertificateFolder, defaultWorkloadTtlMs: 4_000, maxWorkloadTtlMs: 4_000 },
    );
    const stream = await plane.secure("web", {
      id: "sidecar~127.0.0.1~web-1.demo~demo.svc.cluster.local",
      metadata: { NAMESPACE: "demo", SERVICE_ACCOUNT: "web" },
    });
    const answers = async (): Promise<void> => {
      stream.send({ typeUrl: typeUrl.cluster });
      assert.equal((await stream.next()).typeUrl, typeUrl.cluster);
    };
    await answers();
    const says = (words: string): Promise<void> =>
      eventually(words, () => assert.ok(plane.log.lines.some((line) => line.includes(words))), { withinMs });
    await says("server certificate renewed");
    await answers();
    writeFiles(rootCertificateFolder, next);
    await eventually(
      "the next CA",
      async () =>
        assert.equal(
          await servedIssuer(plane.server.ports.secureGrpc),
          new X509Certificate(next["ca-cert.pem"]).subject,
        ),
      { withinMs },
    );
    await answers();
  });

  test("pushes its roots to who asks, the old one, both and the new one, and ends no stream for it", async () => {
    using folder = temporaryFolder();
    const [old, next] = await Promise.all([certificateFiles(), certificateFiles()]);
    const both = `${old["root-cert.pem"]}${next["root-cert.pem"]}`;
    const rootCertificateFolder = join(folder.path, "cacerts");
    writeFiles(rootCertificateFolder, old);
    await using plane = await DiscoveryPlane.start({}, { rootCertificateFolder });
    const stream = await plane.secure("web", {
      id: "sidecar~127.0.0.1~web-1.demo~demo.svc.cluster.local",
      metadata: { NAMESPACE: "demo", SERVICE_ACCOUNT: "web" },
    });
    stream.send({ typeUrl: typeUrl.proxyConfig });
    const pushed: string[] = [];
    // What the CA signs with is among the roots at each step: nobody holds a certificate that others do not trust.
    for (const files of [old, { ...old, "root-cert.pem": both }, { ...next, "root-cert.pem": both }, next]) {
      writeFiles(rootCertificateFolder, files);
      while (pushed.at(-1) !== shown(files["root-cert.pem"])) {
        const { typeUrl: type, nonce, resources } = await stream.next();
        assert.equal(type, typeUrl.proxyConfig);
        stream.send({ typeUrl: type, nonce });
        const bundle = readPushedBundle(resources[0]?.value);
        assert.ok(bundle.kind === "read");
        pushed.push(shown(bundle.rootsPem.join("")));
      }
      await eventually(
        "the CA",
        async () =>
          assert.equal(
            await servedIssuer(plane.server.ports.secureGrpc),
            new X509Certificate(files["ca-cert.pem"]).subject,
          ),
        { withinMs },
      );
    }
    assert.deepEqual(pushed, [old["root-cert.pem"], both, next["root-cert.pem"]].map(shown));
  });

  test("refuses to start with a CA that cannot be relied on", async () => {
    using folder = temporaryFolder();
    const rootCertificateFolder = join(folder.path, "cacerts");
    writeFiles(rootCertificateFolder, await certificateFiles({ isCa: false }));
    const options = await optionsIn(folder.path, { rootCertificateFolder });
    await assert.rejects(DiscoveryServer.listen(options, { log: testLog().log }), (error) => {
      assert.ok(error instanceof CaMaterialError);
      assert.match(error.message, /cacerts cannot be used:\n {2}ca-cert\.pem: is not a CA's certificate/);
      return true;
    });
  });

  test("says which check of a request failed", async () => {
    using folder = temporaryFolder();
    const options = await optionsIn(folder.path, {});
    const token = await (await openTokenIssuer(options.stateDir)).issue(web);
    await using server = await DiscoveryServer.listen(options, { log: testLog().log });
    await assert.rejects(sign(server, token, "A".repeat(100_000)), /INVALID_ARGUMENT: the CSR is longer/);
    await assert.rejects(sign(server, token, "hello"), /INVALID_ARGUMENT: the CSR holds 0 PEM blocks/);
    await assert.rejects(sign(server, "x.y.z"), /UNAUTHENTICATED: .*cannot be read as a JWT/);
  });
});
