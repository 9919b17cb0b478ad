/**
 * The checks that go over the network, which share names and answers.
 */
import { readFileSync } from "node:fs";
import { readServerTrust, RootFileError, type ServerDescription } from "../grpc/server-trust.ts";
import { createCertificatePath, describeCa } from "../identity/ca-client.ts";
import { createTokenReader } from "../identity/token.ts";
import { parseHostPort } from "../net/host-port.ts";
import { adsPath, adsService, describeDiscoveryServer } from "../xdsproxy/upstream/upstream.ts";
import { answeredAt, type ClockEvidence, happened, judgeClock } from "./clock.ts";
import { judgeEndpoint } from "./control-plane.ts";
import { judgeResolution, parseResolvConf, type Resolution } from "./dns.ts";
import { type EndpointAnswer, lookAtEndpoint } from "./endpoint.ts";
import { failure, type Finding, ok } from "./finding.ts";
import { resolveHosts } from "./resolve.ts";
import type { Check } from "./run-checks.ts";
import type { Subject } from "./subject.ts";
import { lookAtToken } from "./token.ts";

/** A server and the call that is made to it. */
interface Target {
  readonly name: "ca" | "discovery";
  readonly server: ServerDescription;
  readonly service: string;
  readonly path: string;
  readonly message: Uint8Array | undefined;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What a look at a target led to. */
type Outcome =
  | { readonly kind: "answer"; readonly answer: EndpointAnswer }
  | { readonly kind: "unresolved" }
  | { readonly kind: "no-root"; readonly reason: string };

/**
 * Begin to look, and return the checks that wait for it.
 *
 * A request to sign without a key to sign, and a stream that ends before its first request, change nothing at the
 * control plane; both are authenticated all the same.
 *
 * @param signal ends every look
 */
export function controlPlaneChecks(subject: Subject, signal: AbortSignal): readonly Check[] {
  // A CA that nobody asks need not answer.
  const isAsked = ({ name }: Target): boolean => name !== "ca" || subject.identity.source.kind === "ca";
  const targets = targetsOf(subject).filter((target) => target.server.address !== "" && isAsked(target));
  const hosts = [
    ...new Set(targets.map(({ server }) => parseHostPort(server.address)?.host ?? server.address)),
  ];
  const resolutions = resolveHosts(hosts, signal);
  const token = createTokenReader(subject.identity.tokenPath)();
  const looks = targets.map((target) => ({
    target,
    outcome: resolutions.then((found) => look(target, found, token, signal)),
  }));
  // A check that is over before its look must not leave a rejection unheard.
  for (const { outcome } of looks) outcome.catch(() => undefined);
  return [
    { name: "dns", run: async () => judgeNames(targets, await resolutions) },
    ...looks.map(({ target, outcome }) => ({
      name: target.name,
      run: async () => [
        judgeOutcome(target, await outcome, token === undefined ? undefined : subject.identity.tokenPath),
      ],
    })),
    {
      name: "clock",
      run: async () => [
        judgeClock([
          ...tokenEvidence(subject.identity.tokenPath),
          ...(
            await Promise.all(looks.map(async ({ target, outcome }) => serverEvidence(target, await outcome)))
          ).flat(),
        ]),
      ],
    },
  ];
}

function targetsOf({ identity, xds }: Subject): readonly Target[] {
  const { upstream } = xds;
  const cluster = (id: string | undefined): Record<string, string> =>
    id === undefined ? {} : { clusterid: id };
  return [
    {
      name: "discovery",
      server: describeDiscoveryServer(upstream),
      service: adsService,
      path: adsPath("StreamAggregatedResources"),
      message: undefined,
      metadata: { ...upstream.headers, ...cluster(upstream.clusterId) },
    },
    {
      name: "ca",
      server: describeCa(identity),
      service: "certificate service",
      path: createCertificatePath,
      message: new Uint8Array(),
      metadata: { ...identity.caHeaders, ...cluster(identity.clusterId) },
    },
  ];
}

async function look(
  target: Target,
  resolutions: ReadonlyMap<string, Resolution>,
  token: string | undefined,
  signal: AbortSignal,
): Promise<Outcome> {
  const { host, port } = parseHostPort(target.server.address) ?? { host: target.server.address, port: 0 };
  const resolution = resolutions.get(host);
  if (resolution?.kind !== "resolved") return { kind: "unresolved" };
  try {
    const { path, message, metadata } = target;
    const tls = readServerTrust(target.server);
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const { addresses } = resolution;
    const call = { host, port, addresses, tls, path, message, metadata: { ...metadata, ...authorization } };
    return { kind: "answer", answer: await lookAtEndpoint(call, signal) };
  } catch (error) {
    if (!(error instanceof RootFileError)) throw error;
    return { kind: "no-root", reason: error.message };
  }
}

function judgeOutcome(target: Target, outcome: Outcome, tokenPath: string | undefined): Finding {
  const { name, server, service } = target;
  switch (outcome.kind) {
    case "answer":
      return judgeEndpoint({ name, server, service, tokenPath }, outcome.answer, new Date());
    case "unresolved":
      return failure(
        name,
        `${server.name} ${server.address} was not asked: its name is not resolved`,
        "see the finding dns",
      );
    case "no-root":
      return failure(
        name,
        `${server.name} ${server.address} was not asked: ${outcome.reason}`,
        "see the finding root-certificate",
      );
  }
}

function judgeNames(
  targets: readonly Target[],
  resolutions: ReadonlyMap<string, Resolution>,
): readonly Finding[] {
  const config = parseResolvConf(readFileSync("/etc/resolv.conf", "utf8"));
  const findings = [...resolutions].map(([host, resolution]) => {
    const users = targets.filter(
      ({ server }) => (parseHostPort(server.address)?.host ?? server.address) === host,
    );
    const setting = users.map(({ server }) => server.addressSetting).join(" and ");
    return judgeResolution(host, setting, resolution, config);
  });
  return findings.length > 0 ? findings : [ok("dns", "no name to resolve")];
}

function tokenEvidence(path: string): readonly ClockEvidence[] {
  const file = lookAtToken(path);
  if (file.kind !== "jwt" || file.claims.iat === undefined) return [];
  const issued = file.claims.iat;
  return [
    happened("the time at which the token was issued", issued, new Date()),
    happened("the token's file, written after the token was issued", issued, file.writtenAt),
  ];
}

function serverEvidence({ server }: Target, outcome: Outcome): readonly ClockEvidence[] {
  if (outcome.kind !== "answer") return [];
  const { answer } = outcome;
  const { certificate } = answer;
  return [
    ...(certificate === undefined
      ? []
      : [happened(`the certificate of ${server.name}`, certificate.notBefore, new Date())]),
    ...(answer.kind === "answered" && answer.date !== undefined
      ? [answeredAt(`the answer of ${server.name}`, answer.date, answer.askedAt, answer.answeredAt)]
      : []),
  ];
}
