/** Who the workload is, and how long its certificates live. */
import type { CertificateSummary } from "../../pki/certificate.ts";
import { html, type Html } from "../html.ts";
import type { PageView } from "../view.ts";
import { facts, moment, type Section } from "./parts.ts";

/** Certificates as bars of their lives, no keys. */
export function identitySection({ report: { identity }, now }: PageView): Section {
  const { spiffeId, source, askedTrustDomain, nextRotation, receivedAt, problem, chain, roots } = identity;
  return {
    id: "identity",
    name: "Identity",
    body: html`<h2>Identity</h2>
      ${facts([
        ["SPIFFE ID", spiffeId ?? "none yet"],
        ["source", source],
        ["problem", problem],
        ["asked for", askedTrustDomain === undefined ? undefined : `trust domain ${askedTrustDomain}`],
        ["received", receivedAt === undefined ? undefined : moment(receivedAt, now)],
        ["next rotation", nextRotation === undefined ? undefined : moment(nextRotation, now)],
      ])}
      ${lives("Workload certificate", chain ?? [], now)} ${lives("Trusted roots", roots ?? [], now)}`,
  };
}

function lives(title: string, certificates: readonly CertificateSummary[], now: Date): Html | undefined {
  if (certificates.length === 0) return undefined;
  return html`<h3>${title}</h3>
    <ul class="lives">
      ${certificates.map(
        (certificate) =>
          html`<li>
            <span
              >${certificate.names.find((name) => name.startsWith("URI:"))?.slice(4) ?? certificate.subject}</span
            >
            ${life(certificate, now)}
            <span class="small">serial ${certificate.serial}, ends ${moment(certificate.notAfter, now)}</span>
          </li>`,
      )}
    </ul>`;
}

/** How much of a certificate's life is over. */
function life({ notBefore, notAfter }: CertificateSummary, now: Date): Html {
  const [begin, end] = [Date.parse(notBefore), Date.parse(notAfter)];
  const share = end <= begin ? 1 : Math.min(1, Math.max(0, (now.getTime() - begin) / (end - begin)));
  const percent = Math.round(share * 100);
  const mark = share >= 1 ? "bad" : share >= 0.9 ? "odd" : "well";
  return html`<svg
    class="life ${mark}"
    viewBox="0 0 100 4"
    preserveAspectRatio="none"
    role="img"
    aria-label="${percent} % of its life is over"
  >
    <rect class="whole" width="100" height="4" />
    <rect class="used" width="${percent}" height="4" />
  </svg>`;
}
