import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { findReadinessWithoutEnvoy } from "../../../src/agent/proxyless.ts";
import { findReadiness, type FoundReadiness, type ReadinessFacts } from "../../../src/agent/readiness.ts";
import { envoyConditions, unready } from "../../../src/envoy/admin/readiness.ts";
import type { IdentityState } from "../../../src/identity/identity-state.ts";
import type { XdsState } from "../../../src/xdsproxy/report/state.ts";

const now = new Date("2026-01-01T12:00:00Z");

function certificateUntil(notAfter: string): IdentityState {
  return {
    secret: {
      spiffeId: "spiffe://cluster.local/ns/demo/sa/web",
      certificateChainPem: "",
      privateKeyPem: "",
      rootPem: "",
      notBefore: new Date("2026-01-01T00:00:00Z"),
      notAfter: new Date(notAfter),
    },
  } as IdentityState;
}

const good = certificateUntil("2026-01-02T00:00:00Z");

function found(changes: Partial<ReadinessFacts> = {}): FoundReadiness {
  return findReadiness({
    envoy: { ready: true },
    identity: good,
    xds: { kind: "connected", address: "istiod:15012", sinceMs: 0, types: {}, refused: [] },
    nameTable: undefined,
    now,
    ...changes,
  });
}

/** `name=status`, without those that hold. */
function open({ findings }: FoundReadiness): readonly string[] {
  return findings.filter(({ status }) => status !== "holds").map(({ name, status }) => `${name}=${status}`);
}

function reasonOf(readiness: FoundReadiness): string {
  return readiness.ready ? "ready" : readiness.reason;
}

describe("readiness", () => {
  test("is all of its conditions", () => {
    const readiness = found({ nameTable: { isReceived: true } });
    assert.equal(readiness.ready, true);
    assert.deepEqual(
      readiness.findings.map(({ name, status }) => `${name}=${status}`),
      [...envoyConditions, "certificate", "name-table"].map((name) => `${name}=holds`),
    );
  });

  for (const [index, name] of envoyConditions.entries()) {
    test(`fails with ${name}, and what comes after it is not known`, () => {
      const readiness = found({ envoy: unready(name, "why") });
      assert.equal(reasonOf(readiness), "why");
      assert.deepEqual(open(readiness), [
        `${name}=fails`,
        ...envoyConditions.slice(index + 1).map((later) => `${later}=unknown`),
      ]);
      const failing = readiness.findings.find(({ status }) => status === "fails");
      assert.equal(failing?.reason, "why");
      assert.notEqual(failing.remedy ?? "", "");
    });
  }

  test("fails with a certificate that has expired, or is about to without another one in sight", () => {
    const expired = found({ identity: certificateUntil("2026-01-01T11:59:59Z") });
    assert.match(reasonOf(expired), /expired at 2026-01-01T11:59:59/);
    assert.deepEqual(open(expired), ["certificate=fails"]);
    const scarce = certificateUntil("2026-01-01T12:00:10Z");
    assert.equal(found({ identity: scarce }).ready, true);
    const problem = { code: "CA_UNAVAILABLE", message: "no CA" } as const;
    assert.match(
      reasonOf(found({ identity: { ...scarce, problem } })),
      /expires in 10 s and is not renewed: no CA/,
    );
  });

  test("needs no certificate where Envoy serves without one of the agent's", () => {
    const readiness = found({ identity: {} });
    assert.equal(readiness.ready, true);
    assert.ok(!readiness.findings.some(({ name }) => name === "certificate"));
    assert.deepEqual(open(found({ identity: {}, envoy: unready("live", "why") })), [
      "live=fails",
      "workers=unknown",
      "generation=unknown",
      "certificate=fails",
    ]);
  });

  test("needs a name table where the agent answers DNS", () => {
    const readiness = found({ nameTable: { isReceived: false } });
    assert.match(reasonOf(readiness), /no name table yet/);
    assert.deepEqual(open(readiness), ["name-table=fails"]);
  });

  test("has names that were kept, and tells their age", () => {
    const keptAsOf = new Date(Date.now() - 90_000);
    const readiness = found({ nameTable: { isReceived: true, keptAsOf } });
    assert.match(readiness.ready ? (readiness.note ?? "") : "", /^stale: names of the mesh of 9\d s ago/);
  });

  test("says why Envoy has no configuration where others know it", () => {
    const xds: XdsState = {
      ...{ address: "istiod:15012", sinceMs: 0, types: {}, refused: [] },
      kind: "disconnected",
      problem: "istiod:15012 refuses connections",
    };
    assert.equal(
      reasonOf(found({ xds, envoy: unready("configuration", "no configuration") })),
      "no configuration; istiod:15012 refuses connections",
    );
  });
});

describe("readiness without Envoy", () => {
  test("waits for the certificate, with the reason why there is none", () => {
    assert.equal(
      reasonOf(findReadinessWithoutEnvoy({}, undefined, now)),
      "the workload certificate is not there yet",
    );
    const problem = { code: "TOKEN_MISSING", message: "there is no token" } as const;
    assert.equal(reasonOf(findReadinessWithoutEnvoy({ problem }, undefined, now)), "there is no token");
  });

  test("ends with the certificate, and waits for its files", () => {
    assert.equal(findReadinessWithoutEnvoy(good, undefined, now).ready, true);
    const expired = findReadinessWithoutEnvoy(certificateUntil("2026-01-01T11:00:00Z"), undefined, now);
    assert.match(reasonOf(expired), /expired/);
    const files = findReadinessWithoutEnvoy(good, "/nowhere", now);
    assert.match(reasonOf(files), /cert-chain\.pem is not written yet/);
    assert.deepEqual(open(files), ["certificate-files=fails"]);
    assert.deepEqual(open(findReadinessWithoutEnvoy({}, "/nowhere", now)), [
      "certificate=fails",
      "certificate-files=unknown",
    ]);
  });
});
