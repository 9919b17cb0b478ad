/** A control plane for tests: any free ports, tokens of an issuer of its own, and a folder that is taken up at once. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { openTokenIssuer, type TokenIssuer } from "../../src/controlplane/demo-tokens.ts";
import type { DiscoveryOptions } from "../../src/controlplane/discovery-server.ts";

const hourMs = 3_600_000;

/** @param folder holds the configuration (`mesh`) and the state (`state`), both made when missing */
export async function discoveryOptions(
  folder: string,
  changes: Partial<DiscoveryOptions> = {},
): Promise<{ readonly options: DiscoveryOptions; readonly issuer: TokenIssuer }> {
  const configFolder = join(folder, "mesh");
  const stateDir = join(folder, "state");
  mkdirSync(configFolder, { recursive: true });
  const issuer = await openTokenIssuer(stateDir);
  const options: DiscoveryOptions = {
    configFolder,
    stateDir,
    trustDomain: "cluster.local",
    trustDomainAliases: [],
    host: "127.0.0.1",
    secureGrpcPort: 0,
    grpcPort: 0,
    httpPort: 0,
    jwt: { jwks: issuer.jwks, issuer: issuer.issuer, audiences: ["istio-ca"] },
    defaultWorkloadTtlMs: hourMs,
    maxWorkloadTtlMs: hourMs,
    debounceMs: 10,
    ...changes,
  };
  return { options, issuer };
}
