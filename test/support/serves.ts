/** What a sidecar's Envoy serves, and that it is what its agent has. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { compareCertificates } from "../../src/cli/certs/compare.ts";
import type { EnvoyCertificates } from "../../src/envoy/admin/admin.ts";
import { eventually } from "./eventually.ts";
import { get, type TestSidecar } from "./mesh.ts";

/** Resolves once the sidecar's Envoy serves this certificate, no older one, and trusts so many roots. */
export async function serves(sidecar: TestSidecar, pem: string, roots: number): Promise<void> {
  const { serialNumber } = new X509Certificate(pem);
  await eventually(
    `${sidecar.name}'s new certificate`,
    async () => {
      const { identity } = await sidecar.report();
      assert.equal(identity.chain?.[0]?.serial, serialNumber, identity.problem);
      assert.equal(identity.roots?.length, roots);
      const envoy = JSON.parse(
        (await get(sidecar.ports.admin, "/certs")).body.toString(),
      ) as EnvoyCertificates;
      const { certificates, differences } = compareCertificates(identity, envoy);
      assert.deepEqual(differences, []);
      const trusted = certificates.filter(({ role, isTheAgents }) => role === "root" && isTheAgents);
      assert.equal(trusted.length, roots);
    },
    { withinMs: 15_000 },
  );
}
