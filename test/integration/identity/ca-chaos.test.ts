import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { X509Certificate } from "node:crypto";
import { GrpcError } from "../../../src/grpc/grpc-error.ts";
import type { GrpcCode } from "../../../src/grpc/status-code.ts";
import { identityObstacle } from "../../../src/identity/identity-state.ts";
import { kubelet } from "../../../src/identity/token.ts";
import { watchToken } from "../../../src/identity/token-watch.ts";
import { Watch } from "../../../src/lifecycle/watch.ts";
import { createCertificateRequest } from "../../../src/pki/certificate-request.ts";
import { sleep } from "../../../src/lifecycle/sleep.ts";
import { Metrics } from "../../../src/telemetry/metrics.ts";
import { TestCa } from "../../support/ca.ts";
import { eventually } from "../../support/eventually.ts";
import { identityOptions, webIdentity } from "../../support/identity-options.ts";
import { jwtExpiringAt } from "../../support/jwt.ts";
import { mutualTls } from "../../support/mutual-tls.ts";
import { runManager } from "../../support/running-manager.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { testLog } from "../../support/test-log.ts";
import { TestPki, validity } from "../../support/test-pki.ts";

const codes: readonly (readonly [GrpcCode, string])[] = [
  ["CANCELLED", "CA_REJECTED"],
  ["UNKNOWN", "CA_REJECTED"],
  ["INVALID_ARGUMENT", "CA_REJECTED"],
  ["DEADLINE_EXCEEDED", "CA_UNAVAILABLE"],
  ["NOT_FOUND", "CA_REJECTED"],
  ["ALREADY_EXISTS", "CA_REJECTED"],
  ["PERMISSION_DENIED", "CA_REJECTED"],
  ["RESOURCE_EXHAUSTED", "CA_UNAVAILABLE"],
  ["FAILED_PRECONDITION", "CA_REJECTED"],
  ["ABORTED", "CA_UNAVAILABLE"],
  ["OUT_OF_RANGE", "CA_REJECTED"],
  ["UNIMPLEMENTED", "CA_REJECTED"],
  ["INTERNAL", "CA_UNAVAILABLE"],
  ["UNAVAILABLE", "CA_UNAVAILABLE"],
  ["DATA_LOSS", "CA_REJECTED"],
  ["UNAUTHENTICATED", "CA_UNAUTHENTICATED"],
];

describe("a CA in trouble", () => {
  test("whatever gRPC code it answers, the old certificate stays and the next one comes", async () => {
    for (const [code, problem] of codes) {
      using folder = temporaryFolder();
      await using ca = await TestCa.listen({ tls: false });
      ca.answer = ca.issuing(() => validity(-120_000, 2_000));
      await using running = runManager({ ...identityOptions(folder.path, ca), tls: undefined });
      const first = await running.secret();
      ca.answer = () => Promise.reject(new GrpcError(code, "scripted"));
      await running.problem(problem as Parameters<typeof running.problem>[0]);
      assert.equal(running.manager.state.current.secret?.serial, first.serial, code);
      assert.match(
        await running.metrics.render(),
        new RegExp(`istio_agent_identity_failures_total\\{cause="${problem}"\\} [1-9]`),
      );
      ca.answer = ca.issuing(() => validity(-120_000, 3_600_000));
      await running.secret(({ serial }) => serial !== first.serial);
      assert.doesNotMatch(running.lines.join("\n"), /PRIVATE KEY|Bearer/);
    }
  });

  test("slow, then silent: the old certificate stays, the call has a deadline, and the next one comes", async () => {
    using folder = temporaryFolder();
    await using ca = await TestCa.listen({ tls: false });
    const soon = ca.issuing(() => validity(-120_000, 30_000));
    ca.answer = soon;
    const rotation = { gracePeriodRatio: 0.98, gracePeriodJitter: 0 };
    await using running = runManager({ ...identityOptions(folder.path, ca, { rotation }), tls: undefined });
    const first = await running.secret();
    ca.answer = async (call) => {
      await sleep(1_500);
      return soon(call);
    };
    const second = await running.secret(({ serial }) => serial !== first.serial);
    assert.equal(running.manager.state.current.problem, undefined, "slow is no problem");
    ca.answer = async () => {
      await sleep(60_000);
      throw new Error("nobody waits for this");
    };
    const problem = await eventually(
      "the deadline",
      () => {
        const { code, message = "" } = running.manager.state.current.problem ?? {};
        assert.equal(code, "CA_UNAVAILABLE");
        return message;
      },
      { withinMs: 25_000 },
    );
    assert.match(problem, /the CA .* cannot be reached: no answer within 10 s/);
    assert.equal(running.manager.state.current.secret?.serial, second.serial);
    ca.answer = ca.issuing(() => validity(-120_000, 3_600_000));
    await running.secret(({ serial }) => serial !== second.serial);
  });

  test("a key that was not asked for is not served", async () => {
    using folder = temporaryFolder();
    await using ca = await TestCa.listen();
    const other = await createCertificateRequest({ algorithm: "ECDSA", curve: "P256" }, webIdentity);
    ca.answer = async () => [
      await ca.pki.sign(other.requestPem, validity(-60_000, 3_600_000)),
      ca.pki.rootPem,
    ];
    await using running = runManager(identityOptions(folder.path, ca));
    assert.match(await running.problem("CERTIFICATE_INVALID"), /its key is not the one that was asked for/);
    assert.equal(running.manager.state.current.secret, undefined);
  });

  test("garbage for a chain is not served", async () => {
    using folder = temporaryFolder();
    await using ca = await TestCa.listen();
    ca.answer = () => Promise.resolve(["\u0000garbage", ca.pki.rootPem]);
    await using running = runManager(identityOptions(folder.path, ca));
    assert.match(await running.problem("CERTIFICATE_INVALID"), /holds no certificate/);
  });

  test("down for longer than half of a life, readiness says so before the certificate ends", async () => {
    using folder = temporaryFolder();
    await using ca = await TestCa.listen();
    const valid = validity(-1_000, 60_000);
    ca.answer = ca.issuing(() => valid);
    const options = identityOptions(folder.path, ca, {
      rotation: { gracePeriodRatio: 1, gracePeriodJitter: 0 },
    });
    await using running = runManager(options);
    await running.secret();
    ca.answer = () => Promise.reject(new GrpcError("UNAVAILABLE", "rolling out"));
    await running.problem("CA_UNAVAILABLE");
    const { current } = running.manager.state;
    const secondsBeforeEnd = (seconds: number): string | undefined =>
      identityObstacle(current, new Date(valid.notAfter.getTime() - seconds * 1_000));
    assert.equal(secondsBeforeEnd(30), undefined);
    assert.match(secondsBeforeEnd(4) ?? "", /expires in [45] s and is not renewed: .*rolling out/);
    assert.match(secondsBeforeEnd(-1) ?? "", /expired at/);
  });
});

describe("clocks", () => {
  test("10 min ahead: the fresh certificate of 5 min counts as expired, and the clock is named as the cause", async () => {
    using folder = temporaryFolder();
    await using ca = await TestCa.listen({ tls: false });
    ca.answer = ca.issuing(() => validity(-120_000, 300_000));
    const options = { ...identityOptions(folder.path, ca), tls: undefined };
    await using running = runManager(options, 600_000);
    assert.match(
      await running.problem("CERTIFICATE_INVALID"),
      /this machine's clock is at least \d+ s ahead of the CA's, by .*NTP/,
    );
    assert.match(await running.metrics.render(), /istio_agent_ca_clock_skew_seconds [2-6]\d\d/);
  });

  test("10 min behind: the certificate is refused for now, and the clock is named as the cause", async () => {
    using folder = temporaryFolder();
    await using ca = await TestCa.listen({ tls: false });
    const options = { ...identityOptions(folder.path, ca), tls: undefined };
    await using running = runManager(options, -600_000);
    assert.match(
      await running.problem("CERTIFICATE_NOT_YET_VALID"),
      /this machine's clock is at least \d+ s behind the CA's, by .*NTP/,
    );
    assert.equal(running.manager.state.current.secret, undefined);
  });
});

describe("tokens", () => {
  test("an expired one is named with its age, and its successor is used without a restart", async () => {
    using folder = temporaryFolder();
    await using ca = await TestCa.listen();
    const options = identityOptions(folder.path, ca);
    writeFileSync(options.tokenPath, jwtExpiringAt(new Date(Date.now() - 7_200_000)));
    await using running = runManager(options);
    assert.match(
      await running.problem("TOKEN_EXPIRED"),
      /istio-token expired at .*Z, 2 h ago, and its file was last written [\d.]+ s ago: the kubelet should/,
    );
    assert.equal(ca.calls.length, 0);
    writeFileSync(options.tokenPath, jwtExpiringAt(new Date(Date.now() + 3_600_000)));
    await running.secret();
  });
});

test("a token that nobody replaces raises the alarm from 80 % of its life on", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "istio-token");
  const secondsAgo = (ago: number): number => Math.floor(Date.now() / 1_000) - ago;
  writeFileSync(path, jwtExpiringAt(new Date(Date.now() + 100_000), { iat: secondsAgo(900) }));
  const { log, lines } = testLog();
  const metrics = new Metrics("istio_agent_");
  const stop = new AbortController();
  const deps = { log, metrics, now: () => new Date(), trustBundles: new Watch<readonly string[]>([]) };
  const watching = watchToken(path, kubelet, deps, stop.signal);
  await eventually(
    "the alarm",
    () =>
      assert.match(lines.join("\n"), /the token is near its end and has not been replaced.*look at its log/),
    { withinMs: 5_000 },
  );
  assert.match(await metrics.render(), /istio_agent_token_expiry_seconds (?:99|100)/);
  stop.abort();
  await watching;
});

describe("mTLS to the CA", () => {
  test("authenticates with the provisioned certificate, no token needed, and reads it at each handshake", async () => {
    using folder = temporaryFolder();
    await using ca = await TestCa.listen({ tls: false });
    await using front = await mutualTls(ca.address, ca.pki);
    ca.answer = ca.issuing(() => validity(-120_000, 2_000));
    const clientCertificate = {
      certificateChainPath: join(folder.path, "cert-chain.pem"),
      privateKeyPath: join(folder.path, "key.pem"),
    };
    const provision = async (endMs: number): Promise<string> => {
      const pair = await ca.pki.serverKeyPair(["vm.demo"], validity(-7_200_000, endMs));
      writeFileSync(clientCertificate.certificateChainPath, pair.certificatePem);
      writeFileSync(clientCertificate.privateKeyPath, pair.privateKeyPem);
      return new X509Certificate(pair.certificatePem).serialNumber;
    };
    const base = identityOptions(folder.path, ca, { caAddress: front.address });
    const tls = { rootCertificatePath: base.tls?.rootCertificatePath ?? "", clientCertificate };
    rmSync(base.tokenPath);
    const serial = await provision(3_600_000);
    await using running = runManager({ ...base, tls });
    const first = await running.secret();
    assert.deepEqual(front.clients, [serial]);
    assert.equal(ca.calls[0]?.authorization, undefined);

    const next = await provision(3_600_000);
    await running.secret((secret) => secret.serial !== first.serial);
    assert.equal(front.clients.at(-1), next);
  });

  test("an expired provisioned certificate is left out, and the token authenticates", async () => {
    using folder = temporaryFolder();
    await using ca = await TestCa.listen({ tls: false });
    await using front = await mutualTls(ca.address, ca.pki);
    const pair = await ca.pki.serverKeyPair(["vm.demo"], validity(-7_200_000, -60_000));
    const clientCertificate = {
      certificateChainPath: join(folder.path, "cert-chain.pem"),
      privateKeyPath: join(folder.path, "key.pem"),
    };
    writeFileSync(clientCertificate.certificateChainPath, pair.certificatePem);
    writeFileSync(clientCertificate.privateKeyPath, pair.privateKeyPem);
    const base = identityOptions(folder.path, ca, { caAddress: front.address });
    const tls = { rootCertificatePath: base.tls?.rootCertificatePath ?? "", clientCertificate };
    await using running = runManager({ ...base, tls });
    await running.secret();
    assert.deepEqual(front.clients, [undefined]);
    assert.match(ca.calls[0]?.authorization ?? "", /^Bearer /);
  });
});

test("keys are PKCS #8 when asked for", async () => {
  using folder = temporaryFolder();
  await using ca = await TestCa.listen({ pki: await TestPki.create() });
  const key = { algorithm: "ECDSA", curve: "P384", pkcs8: true } as const;
  await using running = runManager(identityOptions(folder.path, ca, { key }));
  assert.match((await running.secret()).privateKeyPem, /^-----BEGIN PRIVATE KEY-----/);
});
