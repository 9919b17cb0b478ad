import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IdentityReport } from "../../../src/status/contract/agent-report.ts";
import { compareCertificates } from "../../../src/cli/certs/compare.ts";
import { certsLines } from "../../../src/cli/certs/lines.ts";
import type { EnvoyCertificate } from "../../../src/envoy/admin/admin.ts";

const spiffeId = "spiffe://cluster.local/ns/demo/sa/web";
const now = new Date("2026-01-01T00:00:00Z");

const summary = (serial: string, names: readonly string[]): NonNullable<IdentityReport["chain"]>[number] => ({
  serial,
  subject: "",
  issuer: "O=root",
  names,
  notBefore: "2025-12-31T00:00:00.000Z",
  notAfter: "2026-01-02T00:00:00.000Z",
});

const identity: IdentityReport = {
  spiffeId,
  notAfter: "2026-01-02T00:00:00.000Z",
  source: "the CA istiod:15012",
  receivedAt: "2025-12-31T23:59:00.000Z",
  nextRotation: "2026-01-01T12:00:00.000Z",
  chain: [summary("0AB1", [`URI:${spiffeId}`]), summary("0C", [])],
  roots: [summary("0C", [])],
};

const envoyLeaf = (serial: string, uri = spiffeId): EnvoyCertificate => ({
  serial_number: serial,
  subject_alt_names: [{ uri }],
  expiration_time: "2026-01-02T00:00:00Z",
});
const root: EnvoyCertificate = { serial_number: "c" };

describe("outrider certs", () => {
  test("finds no difference when Envoy serves the agent's certificate everywhere", () => {
    const { certificates, differences } = compareCertificates(identity, {
      certificates: [
        { cert_chain: [envoyLeaf("ab1"), root], ca_cert: [root] },
        { cert_chain: [envoyLeaf("ab1"), root], ca_cert: [root] },
        { cert_chain: [envoyLeaf("77", "spiffe://other/gateway")] },
      ],
    });
    assert.deepEqual(differences, []);
    assert.deepEqual(
      certificates.map(({ role, serial, contexts, isTheAgents }) => [role, serial, contexts, isTheAgents]),
      [
        ["certificate", "AB1", 2, true],
        ["certificate", "77", 1, false],
        ["root", "C", 2, true],
      ],
    );
  });

  test("marks an older certificate of the same identity, one that is nowhere, and none at all", () => {
    const former = envoyLeaf("98", "spiffe://former.org/ns/demo/sa/web");
    const before = compareCertificates(identity, {
      certificates: [{ cert_chain: [envoyLeaf("ab1")] }, { cert_chain: [former] }],
    });
    assert.match(before.differences.join("\n"), /^Envoy serves 98, which is not the agent's[^\n]*$/);
    const stale = compareCertificates(identity, {
      certificates: [{ cert_chain: [envoyLeaf("ab1")] }, { cert_chain: [envoyLeaf("99")] }],
    });
    assert.match(stale.differences.join("\n"), /^Envoy serves 99, which is not the agent's[^\n]*$/);
    assert.match(compareCertificates(identity, {}).differences.join(), /the agent's certificate nowhere/);
    assert.match(compareCertificates({}, {}).differences.join(), /the agent has no certificate/);
  });

  test("prints source, times and marks", () => {
    const served = compareCertificates(identity, { certificates: [{ cert_chain: [envoyLeaf("99")] }] });
    const text = certsLines({ ...identity, problem: "the CA is down" }, served, now).join("\n");
    for (const expected of [
      /identity +spiffe:\/\/cluster\.local\/ns\/demo\/sa\/web\n/,
      /source +the CA istiod:15012\n/,
      /received +2025-12-31T23:59:00\.000Z \(1 min ago\)\n/,
      /next rotation +2026-01-01T12:00:00\.000Z \(in 12 h\)\n/,
      /problem +✖ the CA is down\n/,
      /chain\n +0AB1 +URI:spiffe[^\n]*\n +valid from 2025[^\n]* \(in 1 d\)\n +issued by O=root/,
      /· certificate 99 URI:[^\n]* in 1 TLS context\n/,
      /✖ Envoy serves 99/,
    ]) {
      assert.match(text, expected);
    }
    assert.match(certsLines(identity, undefined, now).join("\n"), /unknown: its admin/);
  });
});
