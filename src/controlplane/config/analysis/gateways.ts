/** Gateways that want what an older one has, and rules for Gateways that are not there. */
import { gatewayName, meshGateway } from "../host-names.ts";
import type { ConfigObject, GatewayServerSpec } from "../objects.ts";
import type { ConfigProblem } from "../problem.ts";
import { type Refused, whyMissing } from "../refused.ts";
import { certificatesOf, type SecretCertificates } from "../secret-contents.ts";
import { routerPorts } from "../sidecar-ports.ts";
import { placeOf, warningAt } from "./warning.ts";

type Gateway = Extract<ConfigObject, { kind: "Gateway" }>;
type Secret = Extract<ConfigObject, { kind: "Secret" }>;
type VirtualService = Extract<ConfigObject, { kind: "VirtualService" }>;

/** @param gateways the oldest first @param workloadsOf lists all workloads, where there are gateways to ask for them */
export function gatewayWarnings(
  gateways: readonly Gateway[],
  rules: readonly VirtualService[],
  secrets: readonly Secret[],
  refused: Refused,
  workloadsOf: () => readonly RouterWorkload[],
): readonly ConfigProblem[] {
  const certificates = certificatesIn(secrets);
  const workloads = gateways.length === 0 ? [] : workloadsOf();
  return [
    ...gateways.flatMap(ownPorts),
    ...gateways.flatMap((gateway) => withoutSecret(gateway, certificates, workloads)),
    ...conflicts(gateways),
    ...missing(gateways, rules, refused),
  ];
}

/** What Secrets have, by namespace and name. */
type Certificates = ReadonlyMap<string, ReadonlyMap<string, SecretCertificates>>;

function certificatesIn(secrets: readonly Secret[]): Certificates {
  const all = new Map<string, Map<string, SecretCertificates>>();
  for (const { namespace, name, spec } of secrets) {
    const there = all.get(namespace) ?? new Map<string, SecretCertificates>();
    all.set(namespace, there.set(name, certificatesOf(spec)));
  }
  return all;
}

/** A workload that may be a router. */
export interface RouterWorkload {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Where routers are that are declared; those that are not are where Istio's own are, or with their Gateway. */
function routerNamespaces(
  { namespace, spec }: Gateway,
  workloads: readonly RouterWorkload[],
): ReadonlySet<string> {
  const selected = workloads.filter(({ labels }) => selectsAll(spec.selector ?? {}, labels));
  const declared = selected.map((workload) => workload.namespace);
  return new Set(declared.length > 0 ? declared : [namespace, "istio-system", "istio-ingress"]);
}

function selectsAll(
  selector: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}

/** A router is given the Secrets of its own namespace. */
function withoutSecret(
  gateway: Gateway,
  certificates: Certificates,
  workloads: readonly RouterWorkload[],
): readonly ConfigProblem[] {
  const named = gateway.spec.servers.flatMap(({ tls }, index) => {
    const { mode = "PASSTHROUGH", credentialName, credentialNames = [] } = tls ?? {};
    if (!["SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL"].includes(mode)) return [];
    const path = `spec.servers[${index}].tls`;
    return [
      ...(credentialName === undefined
        ? []
        : [{ path: `${path}.credentialName`, name: credentialName, needsRoot: mode !== "SIMPLE" }]),
      ...credentialNames.map((name, at) => ({
        path: `${path}.credentialNames[${at}]`,
        name,
        needsRoot: mode !== "SIMPLE" && at === 0,
      })),
    ];
  });
  return named.flatMap(({ path, name, needsRoot }) => {
    const holders = [...certificates].filter(([, own]) => own.get(name)?.privateKeyPem !== undefined);
    const having = holders.map(([, own]) => own);
    const isRooted = having.some(
      (own) => (own.get(`${name}-cacert`)?.rootPem ?? own.get(name)?.rootPem) !== undefined,
    );
    const near = routerNamespaces(gateway, workloads);
    const [away] = holders.some(([namespace]) => near.has(namespace)) ? [] : holders;
    if (away !== undefined) {
      const message = `${name} is a Secret of ${away[0]}, and a router is given those of its own namespace: the server waits for it, with all others of its port. Put it into ${[...near].join(" or ")}`;
      return [warningAt(gateway, path, message, "IST0161")];
    }
    if (having.length > 0 && (!needsRoot || isRooted)) return [];
    const lack =
      having.length === 0
        ? "is no Secret with certificates"
        : `has no root for the certificates of clients (ca.crt), nor has ${name}-cacert`;
    const message = `${name} ${lack}: the server waits for it, with all others of its port`;
    return [warningAt(gateway, path, message, "IST0161")];
  });
}

function ownPorts(gateway: Gateway): readonly ConfigProblem[] {
  return gateway.spec.servers.flatMap(({ port, bind }, index) => {
    if (bind !== undefined || !routerPorts.has(port.number)) return [];
    const message = `${port.number} is a port of every gateway's own: nothing of this server is there`;
    return [warningAt(gateway, `spec.servers[${index}].port.number`, message)];
  });
}

/** What is at a port of the workloads that a selector selects. */
interface TakenPort {
  readonly by: Gateway;
  readonly kind: string;
  readonly hosts: Map<string, Gateway>;
}

/** As far as it is certain that the same workloads are meant. */
function conflicts(gateways: readonly Gateway[]): readonly ConfigProblem[] {
  const ports = new Map<string, TakenPort>();
  return gateways.flatMap((gateway) =>
    gateway.spec.servers.flatMap((server, index): readonly ConfigProblem[] => {
      const { port, bind = "", hosts } = server;
      const selector = Object.entries(gateway.spec.selector ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
      const key = JSON.stringify([selector, bind, port.number]);
      const kind = kindOf(server);
      const there = ports.get(key);
      if (there === undefined) {
        ports.set(key, { by: gateway, kind, hosts: new Map(hosts.map((host) => [host, gateway])) });
        return [];
      }
      const older = placeOf(there.by);
      if (there.kind !== kind || kind === "connections") {
        const message = `${port.number} is for ${there.kind} already (${older}), which is older: this server has no effect`;
        return [warningAt(gateway, `spec.servers[${index}].port`, message, "IST0145")];
      }
      const taken = kind === "TLS" ? hosts.find((host) => there.hosts.has(host)) : undefined;
      if (taken === undefined) {
        for (const host of hosts) there.hosts.set(host, gateway);
        return [];
      }
      const message = `${taken} has a server already (${placeOf(there.hosts.get(taken) ?? there.by)}), which is older: this one has no effect`;
      return [warningAt(gateway, `spec.servers[${index}].hosts`, message, "IST0145")];
    }),
  );
}

function kindOf({ port, tls }: GatewayServerSpec): string {
  if (["HTTP", "HTTP2", "GRPC"].includes(port.protocol)) return "plain HTTP";
  return tls === undefined ? "connections" : "TLS";
}

function missing(
  gateways: readonly Gateway[],
  rules: readonly VirtualService[],
  refused: Refused,
): readonly ConfigProblem[] {
  const known = new Set(gateways.map(({ namespace, name }) => `${namespace}/${name}`));
  return rules.flatMap((rule) =>
    (rule.spec.gateways ?? []).flatMap((written, index) => {
      const name = gatewayName(written, rule.namespace);
      if (name === meshGateway || known.has(name)) return [];
      const why = whyMissing(refused, "Gateway", name, `${name} is no Gateway`);
      const message = `${why}: nothing is routed by it`;
      return [warningAt(rule, `spec.gateways[${index}]`, message, "IST0101")];
    }),
  );
}
