import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import { GrpcError } from "../../../src/grpc/grpc-error.ts";
import { TestCa } from "../../support/ca.ts";
import { eventually } from "../../support/eventually.ts";
import { freePorts } from "../../support/free-ports.ts";
import { identityOptions, webIdentity } from "../../support/identity-options.ts";
import { jwtExpiringAt } from "../../support/jwt.ts";
import { runManager } from "../../support/running-manager.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { TestPki, validity } from "../../support/test-pki.ts";

describe("SecretManager with a CA that works", () => {
  test("asks with token, cluster and headers, and serves what it gets", async () => {
    using folder = temporaryFolder();
    await using ca = await TestCa.listen();
    const options = identityOptions(folder.path, ca, { key: { algorithm: "RSA", bits: 2048 } });
    await using running = runManager(options);

    const secret = await running.secret();

    assert.equal(secret.spiffeId, webIdentity);
    assert.match(secret.privateKeyPem, /^-----BEGIN RSA PRIVATE KEY-----/);
    assert.equal(secret.rootPem.trim(), ca.pki.rootPem.trim());
    assert.ok(secret.certificateChainPem.trim().endsWith(secret.rootPem));
    const [call] = ca.calls;
    assert.equal(call?.authorization, `Bearer ${readFileSync(options.tokenPath, "utf8").trim()}`);
    assert.equal(call.clusterId, "Kubernetes");
    assert.equal(call.header("x-team"), "mesh");
    assert.equal(call.validitySeconds, 86_400);
    const metrics = await running.metrics.render();
    assert.match(metrics, /istio_agent_num_outgoing_requests\{request_type="csr"\} 1\n/);
    assert.match(metrics, /istio_agent_outgoing_latency\{request_type="csr"\} (?:[1-9]\d*|0\.\d*[1-9])/);
    assert.match(metrics, /istio_agent_cert_expiry_seconds\{resource_name="default"\} 3[56]\d\d/);
    assert.doesNotMatch(running.lines.join("\n"), /PRIVATE KEY|Bearer/);
  });

  test("works in plain text too", async () => {
    using folder = temporaryFolder();
    await using ca = await TestCa.listen({ tls: false });
    const options = identityOptions(folder.path, ca);
    await using running = runManager({ ...options, tls: undefined });
    await running.secret();
  });

  test("rotates a short-lived certificate that is dated back, half-way to its end, with a new key", async () => {
    using folder = temporaryFolder();
    await using ca = await TestCa.listen();
    ca.answer = ca.issuing(() => validity(-120_000, 3_000));
    await using running = runManager(identityOptions(folder.path, ca));
    const first = await running.secret();
    const started = performance.now();

    const second = await running.secret(({ serial }) => serial !== first.serial);

    const tookMs = performance.now() - started;
    assert.ok(tookMs > 700, `took ${tookMs} ms`);
    assert.ok(first.notAfter > new Date(), "the first one is still valid");
    assert.notEqual(second.privateKeyPem, first.privateKeyPem);
  });

  test("takes the trust domain that the CA signs for, says so once, and follows it into the next", async () => {
    using folder = temporaryFolder();
    await using ca = await TestCa.listen();
    let trustDomain = "old.example";
    ca.answer = ca.issuing(
      () => validity(-120_000, 2_000),
      () => trustDomain,
    );
    await using running = runManager(identityOptions(folder.path, ca));
    const { serial } = await running.secret(
      ({ spiffeId }) => spiffeId === "spiffe://old.example/ns/demo/sa/web",
    );
    await running.secret((secret) => secret.serial !== serial);
    trustDomain = "new.example";
    await running.secret(({ spiffeId }) => spiffeId === "spiffe://new.example/ns/demo/sa/web");

    const { problem, askedTrustDomain, trustDomains } = running.manager.state.current;
    assert.equal(problem, undefined);
    assert.equal(askedTrustDomain, "cluster.local");
    assert.deepEqual(trustDomains, ["new.example", "old.example", "cluster.local"]);
    const warnings = running.lines.filter((line) => line.includes("not the configured one"));
    assert.equal(warnings.length, 2, warnings.join("\n"));
    assert.match(warnings[0] ?? "", /old\.example.*cluster\.local/);

    // Whoever else the CA signs for is not this workload.
    ca.answer = async ({ csr }) => [
      await ca.pki.sign(csr, validity(-60_000, 60_000), "spiffe://new.example/ns/demo/sa/api"),
      ca.pki.rootPem,
    ];
    assert.match(
      await running.problem("CERTIFICATE_INVALID"),
      /it is for spiffe:\/\/new\.example\/ns\/demo\/sa\/api/,
    );
    assert.match(running.manager.state.current.secret?.spiffeId ?? "", /\/sa\/web$/);
  });

  test("holds a certificate of the near future until it is valid, and says that the clocks differ", async () => {
    using folder = temporaryFolder();
    await using ca = await TestCa.listen();
    ca.answer = ca.issuing(() => validity(3_000, 3_600_000));
    await using running = runManager(identityOptions(folder.path, ca));

    assert.match(
      await running.problem("CERTIFICATE_NOT_YET_VALID"),
      /ahead of this clock.*compare the clocks/,
    );
    assert.equal(running.manager.state.current.secret, undefined);

    assert.ok((await running.secret()).notBefore <= new Date());
    assert.equal(ca.calls.length, 1);
    assert.equal(running.manager.state.current.problem, undefined);
  });
});

describe("SecretManager says what is wrong and mends it when it can", () => {
  test("the token is not there yet, which the CA has to know", async () => {
    using folder = temporaryFolder();
    await using ca = await TestCa.listen();
    const options = identityOptions(folder.path, ca);
    const token = readFileSync(options.tokenPath);
    rmSync(options.tokenPath);
    const sign = ca.answer;
    ca.answer = (call) => {
      if (call.authorization === undefined) throw new GrpcError("UNAUTHENTICATED", "no credentials");
      return sign(call);
    };
    await using running = runManager(options);

    assert.match(
      await running.problem("TOKEN_MISSING"),
      /istio-token cannot be read.*Mount a projected.*asked without one and says UNAUTHENTICATED: no credentials/,
    );

    writeFileSync(options.tokenPath, token);
    await running.secret();
    assert.equal(running.lines.filter((line) => line.includes("no new workload certificate")).length, 1);
    assert.equal(running.lines.filter((line) => line.includes("problem is over")).length, 1);
    assert.match(
      await running.metrics.render(),
      /istio_agent_num_failed_outgoing_requests\{request_type="csr"\} [1-9]/,
    );
  });

  test("an expired token is never sent", async () => {
    using folder = temporaryFolder();
    await using ca = await TestCa.listen();
    const options = identityOptions(folder.path, ca);
    writeFileSync(options.tokenPath, jwtExpiringAt(new Date(Date.now() - 1_000)));
    await using running = runManager(options);

    assert.match(await running.problem("TOKEN_EXPIRED"), /expired at .*restart the pod/);
    assert.equal(ca.calls.length, 0);
  });

  test("the root file is missing, then wrong, then right", async () => {
    using folder = temporaryFolder();
    await using ca = await TestCa.listen();
    const options = identityOptions(folder.path, ca);
    const rootPath = options.tls?.rootCertificatePath ?? "";
    rmSync(rootPath);
    await using running = runManager(options);
    assert.match(await running.problem("ROOT_MISSING"), /root-cert\.pem cannot be read.*istio-ca-root-cert/);

    writeFileSync(rootPath, (await TestPki.create()).rootPem);
    const message = await running.problem("CA_UNTRUSTED");
    assert.ok(message.includes(`not trusted by the root ${rootPath}`), message);
    assert.match(message, /certificate.*CA_ROOT_CA/);
    assert.equal(ca.calls.length, 0);

    writeFileSync(rootPath, ca.pki.rootPem);
    await running.secret();
  });

  test("the CA has a certificate for another name", async () => {
    using folder = temporaryFolder();
    await using ca = await TestCa.listen();
    const options = identityOptions(folder.path, ca);
    const rootCertificatePath = options.tls?.rootCertificatePath ?? "";
    await using running = runManager({
      ...options,
      tls: { rootCertificatePath, serverName: "istiod.other.svc" },
    });
    assert.match(await running.problem("CA_UNTRUSTED"), /for another name.*ISTIOD_SAN/);
  });

  test("nobody listens, until somebody does", async () => {
    using folder = temporaryFolder();
    const [port = 0] = await freePorts(1);
    const pki = await TestPki.create();
    await using away = await TestCa.listen({ pki });
    const options = identityOptions(folder.path, away, { caAddress: `127.0.0.1:${port}` });
    await using running = runManager(options);
    const message = await running.problem("CA_UNAVAILABLE");
    assert.match(message, new RegExp(`127.0.0.1:${port} cannot be reached: connect ECONNREFUSED.*CA_ADDR`));

    await using _ca = await TestCa.listen({ pki, port });
    await running.secret();
  });

  test("the CA refuses: its own words are in the message", async () => {
    using folder = temporaryFolder();
    await using ca = await TestCa.listen();
    ca.answer = () => Promise.reject(new GrpcError("PERMISSION_DENIED", "identity web is not yours"));
    await using running = runManager(identityOptions(folder.path, ca));
    assert.match(
      await running.problem("CA_REJECTED"),
      /PERMISSION_DENIED: identity web is not yours.*Check that/,
    );

    ca.answer = () => Promise.reject(new GrpcError("UNAUTHENTICATED", "audience is wrong"));
    assert.match(await running.problem("CA_UNAUTHENTICATED"), /audience is wrong.*Check its audience/);
  });

  test("an answer that does not fit is not served", async () => {
    using folder = temporaryFolder();
    await using ca = await TestCa.listen();
    ca.answer = () => Promise.resolve([ca.pki.rootPem]);
    await using running = runManager(identityOptions(folder.path, ca));
    assert.match(await running.problem("CERTIFICATE_INVALID"), /answered with 1 certificates/);
    assert.equal(running.manager.state.current.secret, undefined);
  });

  test("the old secret stays in use while the CA is away", async () => {
    using folder = temporaryFolder();
    await using ca = await TestCa.listen();
    ca.answer = ca.issuing(() => validity(-120_000, 4_000));
    await using running = runManager(identityOptions(folder.path, ca));
    const first = await running.secret();

    ca.answer = () => Promise.reject(new GrpcError("UNAVAILABLE", "rolling out"));
    await running.problem("CA_UNAVAILABLE");
    assert.equal(running.manager.state.current.secret?.serial, first.serial);

    ca.answer = ca.issuing(() => validity(-120_000, 3_600_000));
    await running.secret(({ serial }) => serial !== first.serial);
    assert.equal(running.manager.state.current.problem, undefined);
  });

  test("an end while a call is under way is an end at once", async () => {
    using folder = temporaryFolder();
    await using ca = await TestCa.listen();
    ca.answer = () => new Promise(() => undefined);
    const running = runManager(identityOptions(folder.path, ca));
    await eventually("the call", () => assert.equal(ca.calls.length, 1), { withinMs: 5_000 });
    const started = performance.now();
    await running[Symbol.asyncDispose]();
    assert.ok(performance.now() - started < 1_000);
    assert.equal(running.manager.state.current.problem, undefined);
  });
});
