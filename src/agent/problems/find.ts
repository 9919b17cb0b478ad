/**
 * What is wrong now, from what is known: one row for each kind of trouble, the gravest first. Pure.
 */
import { formatDuration } from "../../lifecycle/format-duration.ts";
import { describeShare } from "../../process/cpu-throttling.ts";
import { describeCertificate } from "../../pki/certificate.ts";
import { splitPem } from "../../pki/pem.ts";
import type { FoundProblem } from "../../status/contract/problem.ts";
import type { XdsState } from "../../xdsproxy/report/state.ts";
import { describeRefused } from "../../xdsproxy/report/refusal.ts";
import type { FolderFacts, PeerDescription, ProblemFacts } from "./facts.ts";
import { type UntrustedPeer, untrustedPeers } from "./peers.ts";

/** A kind of trouble. */
type Kind = (facts: ProblemFacts) => readonly FoundProblem[];

/** All that is wrong. */
export function findProblems(facts: ProblemFacts): readonly FoundProblem[] {
  return kinds.flatMap((kind) => kind(facts));
}

const kinds: readonly Kind[] = [
  readiness,
  exits,
  identity,
  discovery,
  silence,
  clock,
  trustDomain,
  stale,
  staleNames,
  refusals,
  configuration,
  upstreams,
  clients,
  throttling,
  folders,
  sockets,
];

/** What readiness lacks; a probe that learns of it writes the line. */
function readiness({ looks }: ProblemFacts): readonly FoundProblem[] {
  return (looks.readiness?.conditions ?? []).flatMap(({ name, status, reason, remedy }) =>
    status !== "fails"
      ? []
      : [
          {
            cause: `not-ready-${name}`,
            reason: reason ?? "",
            ...(remedy === undefined ? {} : { remedy }),
            isTold: true,
          },
        ],
  );
}

/** How long an end is shown, in milliseconds: what has ended one Envoy may end the next. */
const exitShownMs = 60_000;

function exits({ lastExit, nowMs }: ProblemFacts): readonly FoundProblem[] {
  if (lastExit === undefined) return [];
  const agoMs = nowMs - lastExit.at.atMs;
  if (agoMs > exitShownMs) return [];
  const { reason, message, generation, remedy } = lastExit;
  return [
    {
      cause: `envoy-${reason.replaceAll("_", "-")}`,
      reason: `Envoy (generation ${generation}) ended ${formatDuration(agoMs)} ago: ${message}`,
      remedy: remedy ?? "see whether it happens again; `outrider diagnose` collects what was kept of it",
      isTold: true,
    },
  ];
}

function identity({ identity: { problem } }: ProblemFacts): readonly FoundProblem[] {
  if (problem === undefined) return [];
  const cause = `identity-${problem.code.toLowerCase().replaceAll("_", "-")}`;
  return [{ cause, reason: problem.message, isTold: true }];
}

function discovery({ xds: { problem, failure } }: ProblemFacts): readonly FoundProblem[] {
  if (problem === undefined) return [];
  return [{ cause: `discovery-${failure ?? "ended"}`, reason: problem, isTold: true }];
}

/** A discovery server that answers takes less, in milliseconds, also where it is far and busy. */
const silentMs = 5_000;

/** When a discovery server that does not answer meanwhile is a problem, on the monotonic clock; Infinity for never. */
export function silentAtMs({ kind, sinceMs }: XdsState): number {
  return kind === "connecting" ? sinceMs + silentMs : Infinity;
}

/** A connection that fails is a problem of its own; this one neither fails nor answers. */
function silence({ xds, nowMs }: ProblemFacts): readonly FoundProblem[] {
  const { address, problem, sinceMs } = xds;
  if (problem !== undefined || nowMs < silentAtMs(xds)) return [];
  return [
    {
      cause: "discovery-silent",
      reason: `the discovery server ${address} has not answered for ${formatDuration(nowMs - sinceMs)}`,
      remedy: "see whether it is overloaded or stopped; `outrider doctor` says how far a connection comes",
    },
  ];
}

function clock({ identity: { clockSkew }, nowMs }: ProblemFacts): readonly FoundProblem[] {
  if (clockSkew === undefined) return [];
  const { aheadMs, source, provenAtMs } = clockSkew;
  const side = aheadMs > 0 ? "ahead of" : "behind";
  return [
    {
      cause: "clock-skew",
      reason: `this machine's clock is at least ${Math.round(Math.abs(aheadMs) / 1_000)} s ${side} the CA's, by ${source}, ${formatDuration(nowMs - provenAtMs)} ago`,
      remedy:
        "set the node's clock (NTP): what is signed for one clock is not valid by the other; one that is slewed is known " +
        "to be right with the next certificate, and `outrider doctor` measures it at once",
    },
  ];
}

function trustDomain({ identity: state }: ProblemFacts): readonly FoundProblem[] {
  const { askedTrustDomain, secret } = state;
  if (askedTrustDomain === undefined || secret === undefined) return [];
  return [
    {
      cause: "trust-domain",
      reason: `TRUST_DOMAIN asks for ${askedTrustDomain}, and the CA signs for ${secret.spiffeId}`,
      remedy:
        "set TRUST_DOMAIN (meshConfig.trustDomain) to the CA's, or have the CA sign for this one: rules that name " +
        "the other one do not fit",
      isTold: true,
    },
  ];
}

function stale({ xds: { kind, asOf } }: ProblemFacts): readonly FoundProblem[] {
  if (kind !== "stale" || asOf === undefined) return [];
  return [
    {
      cause: "xds-stale",
      reason: `Envoy is served from the cache: configuration of ${asOf.toISOString()}`,
      remedy: "bring the control plane back; what was changed since is not in force until then",
      isTold: true,
    },
  ];
}

function staleNames({ namesAsOf }: ProblemFacts): readonly FoundProblem[] {
  if (namesAsOf === undefined) return [];
  return [
    {
      cause: "names-stale",
      reason: `names of the mesh are answered from the cache: the name table of ${namesAsOf.toISOString()}`,
      remedy: "bring the control plane back, and see that it serves the name table (NDS)",
      isTold: true,
    },
  ];
}

function refusals({ xds: { refused } }: ProblemFacts): readonly FoundProblem[] {
  const [first] = refused;
  if (first === undefined) return [];
  const more = refused.length === 1 ? "" : `, and ${refused.length - 1} more`;
  const serves = first.serves === "nothing" ? "nothing serves in its place" : "the last accepted one serves";
  return [
    {
      cause: "xds-refused",
      reason: `${describeRefused(first)}: ${serves}${more}`,
      remedy: "correct what the control plane makes it from: `outrider xds` shows all of it",
      isTold: true,
    },
  ];
}

function configuration({
  configuration: { refused, odd },
  refusedGeneration,
}: ProblemFacts): readonly FoundProblem[] {
  const remedy =
    "correct it: Envoy serves on with what it has, and `outrider plan` shows what a start would do";
  return [
    ...(refused.length === 0
      ? []
      : [{ cause: "configuration-refused", reason: refused.join("; "), remedy, isTold: true } as const]),
    ...(refusedGeneration === undefined
      ? []
      : [{ cause: "generation-refused", reason: refusedGeneration, remedy, isTold: true } as const]),
    ...(odd.length === 0
      ? []
      : [
          {
            cause: "configuration-odd",
            reason: odd.join("; "),
            remedy: "correct it, or leave it out; it is read anew when the agent is started again",
            isTold: true,
          } as const,
        ]),
  ];
}

/** Upstreams that are named in full. */
const named = 3;

function upstreams(facts: ProblemFacts): readonly FoundProblem[] {
  const failing = untrustedPeers(facts.looks.peers).filter(({ side }) => side === "cluster");
  const [first] = failing;
  if (first === undefined) return [];
  const described = failing.slice(0, named).map((peer) => describeUpstream(peer, facts));
  const more = failing.length > named ? ` and ${failing.length - named} more` : "";
  return [
    {
      cause: "upstream-untrusted",
      reason: described.join("; ") + more,
      remedy:
        first.why === "wrong name"
          ? "see that the service's endpoints and service accounts are those that the control plane knows"
          : "have both workloads signed by one CA (the same ConfigMap istio-ca-root-cert), or let each trust the other's root",
    },
  ];
}

function describeUpstream({ name, why, failures }: UntrustedPeer, facts: ProblemFacts): string {
  const what = why === "wrong name" ? "is somebody else" : "is not trusted";
  const refused = `upstream ${name} ${what}: Envoy refused its certificate in ${failures} handshakes`;
  const peer = facts.looks.described.get(name);
  if (peer === undefined) return refused;
  return `${refused}; ${comparison(peer, facts)}`;
}

function comparison({ address, certificate }: PeerDescription, { identity: state }: ProblemFacts): string {
  if (certificate === undefined) return `${address} shows no certificate to this agent`;
  const { issuer, names, trustDomain: theirs, notAfter, isSignedByOurRoots } = certificate;
  const { secret } = state;
  const domain = theirs === "" ? "of no trust domain" : `of trust domain ${theirs}`;
  const shown = `${address} shows a certificate for ${names}, ${domain}, issued by "${issuer}", valid until ${notAfter.toISOString()}`;
  if (secret === undefined) return shown;
  const own = `this workload is ${secret.spiffeId} and trusts ${ownRoots(secret.rootPem)}`;
  return `${shown}; ${own}${isSignedByOurRoots ? ", which did sign it" : ", which did not sign it"}`;
}

/** The subjects of a bundle. */
function ownRoots(rootPem: string): string {
  const subjects = splitPem(rootPem).map((pem) => `"${describeCertificate(pem).subject}"`);
  const shown = subjects.slice(0, named).join(", ");
  return subjects.length > named ? `${shown} and ${subjects.length - named} more` : shown;
}

function clients({ looks }: ProblemFacts): readonly FoundProblem[] {
  const failing = untrustedPeers(looks.peers).filter(({ side }) => side === "listener");
  const bare = failing.filter(({ why }) => why === "no certificate");
  const refused = failing.filter(({ why }) => why !== "no certificate");
  return [
    ...(refused.length === 0
      ? []
      : [
          {
            cause: "client-untrusted",
            reason: `Envoy refuses clients' certificates: ${listed(refused)}`,
            remedy: "the clients' agents say which CA signs for them: both sides need a root in common",
          },
        ]),
    ...(bare.length === 0
      ? []
      : [
          {
            cause: "client-without-certificate",
            reason: `clients show no certificate where mutual TLS is asked for: ${listed(bare)}`,
            remedy:
              "find out who they are (a scanner, a probe, a client outside the mesh); one that is to be served needs a " +
              "sidecar, or a PeerAuthentication that is PERMISSIVE",
          },
        ]),
  ];
}

function listed(clients: readonly UntrustedPeer[]): string {
  return clients
    .slice(0, named)
    .map(({ name, why, failures }) => `${failures} at listener ${name} (${why})`)
    .join(", ");
}

/** From this share on it is felt. */
const feltShare = 0.25;

/** Fewer periods since the last look say nothing. */
const leastPeriods = 5;

function throttling({ looks: { throttled, throttling: counts } }: ProblemFacts): readonly FoundProblem[] {
  if (throttled === undefined || counts === undefined) return [];
  if (throttled.throttledPeriods < leastPeriods || throttled.share < feltShare) return [];
  return [
    {
      cause: "cpu-throttled",
      reason: `agent and Envoy are throttled: in ${describeShare(throttled)} their limit of ${counts.limit} CPUs was spent`,
      remedy: "raise the CPU limit (sidecar.istio.io/proxyCPULimit in Kubernetes), or leave the limit out",
    },
  ];
}

/** A bootstrap and a record of an end need about so much, in bytes. */
const neededBytes = 131_072;

function folders({ looks }: ProblemFacts): readonly FoundProblem[] {
  const found = looks.folders.flatMap(judgeFolder);
  return (["folder-unwritable", "disk-full"] as const).flatMap((cause) => {
    const [first, ...others] = found.filter((one) => one.cause === cause);
    if (first === undefined) return [];
    return [{ ...first, reason: [first, ...others].map(({ reason }) => reason).join("; ") }];
  });
}

function judgeFolder({ path, refusal, freeBytes }: FolderFacts): readonly FoundProblem[] {
  if (refusal !== undefined) {
    const remedy = "mount it writable for this user: Envoy's next bootstrap cannot be written until then";
    return [{ cause: "folder-unwritable", reason: `${path} cannot be written: ${refusal}`, remedy }];
  }
  if (freeBytes === undefined || freeBytes >= neededBytes) return [];
  return [
    {
      cause: "disk-full",
      reason: `${path} has ${Math.floor(freeBytes / 1_024)} KiB left: Envoy's next bootstrap does not fit`,
      remedy: "make room there, or give the volume a greater sizeLimit",
    },
  ];
}

function sockets({ looks }: ProblemFacts): readonly FoundProblem[] {
  const [first] = looks.sockets.toSorted(
    (a, b) => Number(b.reason !== undefined) - Number(a.reason !== undefined),
  );
  if (first === undefined) return [];
  const { path, reason } = first;
  return [
    {
      cause: reason === undefined ? "socket-removed" : "socket-lost",
      reason:
        reason === undefined
          ? `somebody removed the socket ${path}; the agent has given it back its name`
          : `somebody removed the socket ${path}, and it cannot be given back its name: ${reason}`,
      remedy: "find out who cleans up in that folder: it is the agent's alone",
      isTold: true,
    },
  ];
}
