/**
 * Certificates for people.
 */
import type { IdentityReport } from "../../status/contract/agent-report.ts";
import { formatDuration } from "../../lifecycle/format-duration.ts";
import type { ServedCertificates } from "./compare.ts";

/** @param served undefined when Envoy does not say */
export function certsLines(
  identity: IdentityReport,
  served: ServedCertificates | undefined,
  now: Date,
): readonly string[] {
  return [
    row("identity", identity.spiffeId ?? "none yet"),
    ...(identity.askedTrustDomain === undefined
      ? []
      : [
          row(
            "trust domain",
            `the source's own: TRUST_DOMAIN is ${identity.askedTrustDomain}, which it does not sign for`,
          ),
        ]),
    ...(identity.source === undefined ? [] : [row("source", identity.source)]),
    ...(identity.receivedAt === undefined ? [] : [row("received", moment(identity.receivedAt, now))]),
    row(
      "next rotation",
      identity.nextRotation === undefined
        ? "when its source has a new one"
        : moment(identity.nextRotation, now),
    ),
    ...(identity.problem === undefined ? [] : [row("problem", `✖ ${identity.problem}`)]),
    ...section("chain", identity.chain, now),
    ...section("trusted roots", identity.roots, now),
    ...Object.entries(identity.federatedRoots ?? {}).flatMap(([domain, roots]) =>
      section(`trusted roots of ${domain}`, roots, now),
    ),
    "",
    "Envoy serves",
    ...servedLines(served, now),
  ];
}

function section(title: string, certificates: IdentityReport["chain"], now: Date): readonly string[] {
  if (certificates === undefined) return [];
  return [
    "",
    title,
    ...certificates.flatMap(({ serial, subject, issuer, names, notBefore, notAfter }) => [
      `  ${serial}  ${[...names, subject].filter((text) => text !== "").join(", ")}`,
      `      valid from ${notBefore} to ${moment(notAfter, now)}`,
      `      issued by ${issuer}`,
    ]),
  ];
}

function servedLines(served: ServedCertificates | undefined, now: Date): readonly string[] {
  if (served === undefined) return ["  unknown: its admin interface does not answer"];
  return [
    ...served.certificates.map(({ role, serial, names, notAfter, contexts, isTheAgents }) => {
      const what = [role, serial, ...names].join(" ");
      const until = notAfter === undefined ? "" : ` until ${moment(notAfter, now)}`;
      const uses = `${contexts} TLS context${contexts === 1 ? "" : "s"}`;
      return `  ${isTheAgents ? "✔" : "·"} ${what}${until} in ${uses}`;
    }),
    ...served.differences.map((difference) => `  ✖ ${difference}`),
  ];
}

function moment(iso: string, now: Date): string {
  const restMs = new Date(iso).getTime() - now.getTime();
  const distance = formatDuration(Math.abs(restMs));
  return `${iso} (${restMs < 0 ? `${distance} ago` : `in ${distance}`})`;
}

function row(label: string, text: string): string {
  return `${label.padEnd(14)} ${text}`;
}
