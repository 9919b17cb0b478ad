/**
 * Looks at the certificates of upstreams that Envoy refuses, so that both sides can be named. Each is looked at once,
 * for as long as it is refused.
 */
import type { AdminClient } from "../../envoy/admin/admin.ts";
import { upstreamPlaces } from "../../envoy/admin/tls-failures.ts";
import type { IdentityState } from "../../identity/identity-state.ts";
import { Deadline } from "../../lifecycle/timer.ts";
import { peerCertificate } from "../../net/peer-certificate.ts";
import { chainsToRoot, describeCertificate, readCertificate } from "../../pki/certificate.ts";
import { splitPem, toPem } from "../../pki/pem.ts";
import { trustDomainOf } from "../../pki/spiffe-id.ts";
import type { PeerDescription } from "./facts.ts";
import { type PeerBook, untrustedPeers } from "./peers.ts";

/** Upstreams that are looked at; the others are counted. */
const most = 3;

/** Longest look at one, in milliseconds. */
const lookMs = 1_500;

/** @param known what was found at earlier looks; those that are refused no more are forgotten */
export async function describePeers(
  peers: PeerBook,
  known: ReadonlyMap<string, PeerDescription>,
  admin: AdminClient,
  identity: IdentityState,
): Promise<ReadonlyMap<string, PeerDescription>> {
  const names = untrustedPeers(peers)
    .filter(({ side }) => side === "cluster")
    .map(({ name }) => name)
    .slice(0, most);
  const described = await Promise.all(
    names.map(async (name) => {
      const before = known.get(name);
      const description = before ?? (await describePeer(name, admin, identity));
      return description === undefined ? [] : [[name, description] as const];
    }),
  );
  return new Map(described.flat());
}

/** Undefined where it is not known where the upstream is. */
async function describePeer(
  name: string,
  admin: AdminClient,
  { secret }: IdentityState,
): Promise<PeerDescription | undefined> {
  const [cluster, assignments] = await Promise.all([
    admin.dumpOf("dynamic_active_clusters", name, lookMs),
    admin.dumpOf("dynamic_endpoint_configs", name, lookMs),
  ]).catch(() => [[], []] as const);
  const [place] = upstreamPlaces(cluster[0], assignments);
  if (place === undefined) return undefined;
  const address = `${place.host}:${place.port}`;
  using deadline = new Deadline(lookMs);
  try {
    const pem = toPem("CERTIFICATE", await peerCertificate(place, deadline.signal));
    const { issuer, names, subject } = describeCertificate(pem);
    const { uris, notAfter } = readCertificate(pem);
    return {
      address,
      certificate: {
        issuer,
        notAfter,
        names: (uris.length > 0 ? uris : names).join(", ") || `"${subject}"`,
        trustDomain: trustDomainOf(uris[0] ?? ""),
        isSignedByOurRoots: secret !== undefined && chainsToRoot(pem, [], splitPem(secret.rootPem)),
      },
    };
  } catch {
    return { address, certificate: undefined };
  }
}
