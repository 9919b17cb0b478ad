/**
 * What Envoy serves against what the agent gave it.
 */
import type { EnvoyCertificate, EnvoyCertificates } from "../../envoy/admin/admin.ts";
import type { IdentityReport } from "../../status/contract/agent-report.ts";
import { isSameWorkload } from "../../pki/spiffe-id.ts";

/** One certificate that Envoy uses, however many TLS contexts have it. */
export interface ServedCertificate {
  readonly role: "certificate" | "root";
  /** Hexadecimal, as OpenSSL writes it. */
  readonly serial: string;
  readonly names: readonly string[];
  readonly notAfter?: string;
  /** TLS contexts that use it. */
  readonly contexts: number;
  /** True for one that the agent serves now. */
  readonly isTheAgents: boolean;
}

/** What Envoy has, and where that is not what it should have. */
export interface ServedCertificates {
  readonly certificates: readonly ServedCertificate[];
  /** For people, one line each. */
  readonly differences: readonly string[];
}

/** Compare by serial numbers; certificates of other identities, such as those of files, are no difference. */
export function compareCertificates(identity: IdentityReport, envoy: EnvoyCertificates): ServedCertificates {
  const contexts = envoy.certificates ?? [];
  const own = serialOf(identity.chain?.[0]?.serial);
  const roots = new Set((identity.roots ?? []).map(({ serial }) => serialOf(serial)));
  // Istio's chain ends with its root, so that a chain's later elements are no leaves of Envoy's.
  const leaves = contexts.flatMap(({ cert_chain: chain }) => (chain ?? []).slice(0, 1));
  const certificates = [
    ...summaries("certificate", leaves, (serial) => serial === own),
    ...summaries(
      "root",
      contexts.flatMap(({ ca_cert: cas }) => cas ?? []),
      (serial) => roots.has(serial),
    ),
  ];
  const isOurs = ({ names }: ServedCertificate): boolean =>
    // Before a migration the same workload was in another trust domain.
    names.some((name) => name.startsWith("URI:") && isSameWorkload(identity.spiffeId ?? "", name.slice(4)));
  const stale = certificates.filter((one) => one.role === "certificate" && isOurs(one) && !one.isTheAgents);
  return {
    certificates,
    differences: [
      ...(own === undefined ? ["the agent has no certificate"] : []),
      ...stale.map(
        ({ serial }) => `Envoy serves ${serial}, which is not the agent's: it has not taken the newest one`,
      ),
      ...(own !== undefined && !certificates.some(({ isTheAgents, role }) => isTheAgents && role !== "root")
        ? [
            "Envoy serves the agent's certificate nowhere: no listener or cluster asks for it, or it has not come",
          ]
        : []),
    ],
  };
}

function summaries(
  role: ServedCertificate["role"],
  certificates: readonly EnvoyCertificate[],
  isTheAgents: (serial: string | undefined) => boolean,
): ServedCertificate[] {
  const bySerial = Map.groupBy(certificates, ({ serial_number: serial }) => serialOf(serial) ?? "unknown");
  return [...bySerial].map(([serial, uses]) => ({
    role,
    serial,
    names: (uses[0]?.subject_alt_names ?? []).flatMap(({ uri, dns }) => [
      ...(uri === undefined ? [] : [`URI:${uri}`]),
      ...(dns === undefined ? [] : [`DNS:${dns}`]),
    ]),
    ...(uses[0]?.expiration_time === undefined ? {} : { notAfter: uses[0].expiration_time }),
    contexts: uses.length,
    isTheAgents: isTheAgents(serial),
  }));
}

/** One notation: Envoy leaves leading zeros out, OpenSSL does not. */
function serialOf(serial: string | undefined): string | undefined {
  return serial === undefined ? undefined : serial.toUpperCase().replace(/^0+(?=.)/, "");
}
