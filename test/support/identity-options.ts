/** Options of the workload web in namespace demo, with files in a temporary folder. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { IdentityOptions } from "../../src/identity/options.ts";
import type { TestCa } from "./ca.ts";
import { jwtExpiringAt } from "./jwt.ts";

export const webIdentity = "spiffe://cluster.local/ns/demo/sa/web";

/** A good token and the CA's root, unless `changes` say otherwise. */
export function identityOptions(
  folder: string,
  ca: TestCa,
  changes: Partial<IdentityOptions> = {},
): IdentityOptions {
  const tokenPath = join(folder, "istio-token");
  const rootCertificatePath = join(folder, "root-cert.pem");
  writeFileSync(tokenPath, `${jwtExpiringAt(new Date(Date.now() + 3_600_000))}\n`);
  writeFileSync(rootCertificatePath, ca.pki.rootPem);
  return {
    source: { kind: "ca" },
    cache: undefined,
    trustBundles: [],
    takesPushedBundle: false,
    caAddress: ca.address,
    tls: { rootCertificatePath, serverName: undefined },
    tokenPath,
    googleToken: undefined,
    trustDomain: "cluster.local",
    namespace: "demo",
    serviceAccount: "web",
    clusterId: "Kubernetes",
    caHeaders: { "x-team": "mesh" },
    certSigner: "",
    requestedTtlMs: 86_400_000,
    rotation: { gracePeriodRatio: 0.5, gracePeriodJitter: 0.01 },
    key: { algorithm: "ECDSA", curve: "P256" },
    ...changes,
  };
}
