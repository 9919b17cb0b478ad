/** ServiceEntries and Gateways: addresses that TCP needs, certificates that come twice. */
import { placeOf, warningAt } from "../../../controlplane/config/analysis/warning.ts";
import type { ConfigProblem } from "../../../controlplane/config/problem.ts";
import type { AnalyzedMesh, OfKind } from "./mesh.ts";

/** IST0134. */
export function serviceEntryFindings(mesh: AnalyzedMesh): readonly ConfigProblem[] {
  return mesh.ofKind("ServiceEntry").flatMap((entry) => {
    if ((entry.spec.addresses ?? []).length > 0) return [];
    return entry.spec.ports.flatMap(({ number, protocol }, index): readonly ConfigProblem[] => {
      if (protocol !== undefined && protocol !== "TCP") return [];
      const what = protocol === undefined ? "without a protocol" : "of TCP";
      const message = `is missing, by which alone captured calls of port ${number} ${what} are told from others: give the service an address`;
      return [warningAt(entry, `spec.addresses (spec.ports[${index}])`, message, "IST0134")];
    });
  });
}

/** IST0138. */
export function gatewayCertificateFindings(mesh: AnalyzedMesh): readonly ConfigProblem[] {
  const first = new Map<string, OfKind<"Gateway">>();
  return mesh.ofKind("Gateway").flatMap((gateway) =>
    gateway.spec.servers.flatMap(({ tls }, index): readonly ConfigProblem[] => {
      const certificate = tls?.credentialName ?? tls?.serverCertificate;
      if (certificate === undefined) return [];
      const selector = Object.entries(gateway.spec.selector ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
      const key = JSON.stringify([selector, certificate]);
      const older = first.get(key);
      if (older === undefined) first.set(key, gateway);
      if (older === undefined || older === gateway) return [];
      const message = `shows the certificate ${certificate} as ${placeOf(older)} does: a client that keeps a connection of HTTP/2 for both gets 404. Make one Gateway of both`;
      return [warningAt(gateway, `spec.servers[${index}].tls`, message, "IST0138")];
    }),
  );
}
