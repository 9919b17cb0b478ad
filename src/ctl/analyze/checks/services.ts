/** ServiceEntries and Gateways: addresses that TCP needs, ports of two protocols, certificates that come twice. */
import { placeOf, warningAt, whereBothAre } from "../../../controlplane/config/analysis/warning.ts";
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

/** IST0177. */
export function protocolFindings(mesh: AnalyzedMesh): readonly ConfigProblem[] {
  const byPort = new Map<string, { readonly entry: OfKind<"ServiceEntry">; readonly protocol: string }[]>();
  return mesh.ofKind("ServiceEntry").flatMap((entry) =>
    entry.spec.ports.flatMap(({ number, protocol: said = "" }, index): readonly ConfigProblem[] => {
      const protocol = said.toUpperCase();
      for (const written of entry.spec.hosts) {
        const host = written.toLowerCase();
        const others = byPort.get(`${host} ${number}`) ?? [];
        const rival = others.find(
          (other) =>
            other.entry !== entry &&
            other.protocol !== protocol &&
            whereBothAre(other.entry, entry) !== undefined,
        );
        byPort.set(`${host} ${number}`, [...others, { entry, protocol }]);
        if (rival === undefined) continue;
        const [mine, its] = [protocol, rival.protocol].map((name) => (name === "" ? "none" : name));
        const message = `is ${mine}, and port ${number} of ${host} is ${its} in ${placeOf(rival.entry)}: say the same in both, or export them to different namespaces`;
        return [warningAt(entry, `spec.ports[${index}].protocol`, message, "IST0177")];
      }
      return [];
    }),
  );
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
