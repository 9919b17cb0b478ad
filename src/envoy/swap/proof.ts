/**
 * What is proven of an Envoy beyond LIVE before it is trusted with traffic.
 *
 * LIVE says that Envoy gave up waiting, not that it has what it waited for: a listener whose secret never came is
 * bound and refuses every handshake (envoyproxy/envoy#47309).
 */
import { at, textAt } from "../../lifecycle/json-path.ts";
import type { TlsProbe, TlsProbeResult } from "../../net/tls-probe.ts";
import type { EnvoyAdmin, Stats } from "../admin/admin.ts";
import type { ListenerFacts } from "../admin/listeners.ts";

/** The workload's own certificate, to greet listeners that demand one and to compare with what they serve. PEM. */
export interface ProbeIdentity {
  readonly spiffeId: string;
  readonly certificateChainPem: string;
  readonly privateKeyPem: string;
  /** SHA-256 of the leaf, in hex; undefined where Envoy may have another one. */
  readonly leafFingerprint256: string | undefined;
}

/** What a proof asks. */
export interface ProofOptions {
  readonly admin: EnvoyAdmin;
  readonly pid: number;
  readonly identity: ProbeIdentity | undefined;
  readonly probe: (probe: TlsProbe) => Promise<TlsProbeResult>;
}

const proofStats =
  "(^listener_manager\\.(total_listeners_warming|listener_create_failure)$|\\.(init_fetch_timeout|downstream_context_secrets_not_ready)$)";

/** The workload's own secrets, without which no mutual TLS is served. */
const workloadSecrets: readonly string[] = ["default", "ROOTCA"];

/**
 * Workload secrets that Envoy waits for, in words: what keeps a first Envoy from being ready.
 *
 * @throws when the admin interface does not answer
 */
export async function findMissingSecrets(admin: EnvoyAdmin): Promise<readonly string[]> {
  const warming = (await admin.configDump("dynamic_warming_secrets")).map(nameOf);
  return warming.filter((name) => workloadSecrets.includes(name)).map(missingSecret);
}

/**
 * Everything that Envoy lacks, in words that are equal for equal faults: a newcomer may have those that the
 * running Envoy has too.
 *
 * @throws when the admin interface does not answer
 */
export async function findUnreadyParts(admin: EnvoyAdmin): Promise<readonly string[]> {
  const [stats, warmingSecrets] = await Promise.all([
    admin.stats(proofStats),
    admin.configDump("dynamic_warming_secrets"),
  ]);
  return [...warmingSecrets.map((secret) => missingSecret(nameOf(secret))), ...describeStats(stats)];
}

/**
 * Listeners that a newcomer refuses and does not serve, though the running Envoy does; in words.
 *
 * @param running the running Envoy's listeners; undefined when it cannot be asked
 * @throws when the admin interface does not answer
 */
export async function findRefusedListeners(
  admin: EnvoyAdmin,
  running: readonly ListenerFacts[] | undefined,
): Promise<readonly string[]> {
  return refusedListeners(await admin.configDump("dynamic_listeners"), running);
}

/** The same, of the elements of `dynamic_listeners`. */
export function refusedListeners(
  configs: readonly unknown[],
  running: readonly ListenerFacts[] | undefined,
): readonly string[] {
  const served = new Set(running?.map(({ name }) => name));
  return configs.flatMap((config) => {
    if (at(config, "error_state") === undefined || at(config, "active_state") !== undefined) return [];
    const name = nameOf(config);
    const details = textAt(config, "error_state", "details") ?? "no details";
    return served.has(name) ? [`listener ${name} was refused: ${details}`] : [];
  });
}

function missingSecret(name: string): string {
  return `secret ${name} has not come`;
}

/** Real handshakes where the listeners serve TLS; empty when all succeed. */
export async function findTlsFaults(options: ProofOptions): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const listener of await options.admin.listeners())
    faults.push(...(await tlsFaults(listener, options)));
  return faults;
}

async function tlsFaults(listener: ListenerFacts, options: ProofOptions): Promise<readonly string[]> {
  const { address } = listener;
  const [chain] = listener.tls;
  if (address === undefined || chain === undefined) return [];
  const result = await options.probe({
    host: reachable(address.host),
    port: address.port,
    pid: options.pid,
    serverName: chain.serverName,
    protocols: chain.protocols,
    client: options.identity,
  });
  const where = `listener ${listener.name} (${address.host}:${address.port})`;
  switch (result.kind) {
    case "failed":
      return [`${where} does not serve TLS: ${result.reason}`];
    case "not-reached":
      return [`${where} took none of ${result.attempts} connections`];
    case "served":
      return isStale(result, options.identity)
        ? [`${where} serves another workload certificate than the agent holds`]
        : [];
  }
}

function isStale(
  served: { readonly fingerprint256: string; readonly names: string },
  identity: ProbeIdentity | undefined,
): boolean {
  if (
    identity?.leafFingerprint256 === undefined ||
    !served.names.split(", ").includes(`URI:${identity.spiffeId}`)
  )
    return false;
  return served.fingerprint256 !== identity.leafFingerprint256;
}

/** A wildcard is reached on loopback. */
function reachable(host: string): string {
  if (host === "0.0.0.0" || host === "") return "127.0.0.1";
  return host === "::" ? "::1" : host;
}

function describeStats(stats: Stats): readonly string[] {
  const words: readonly (readonly [suffix: string, meaning: string])[] = [
    ["total_listeners_warming", "listeners are still warming"],
    ["listener_create_failure", "listeners could not be created"],
    ["init_fetch_timeout", "configuration did not come in time"],
    ["downstream_context_secrets_not_ready", "connections were refused for want of a certificate"],
  ];
  return [...stats].flatMap(([name, value]) => {
    const found = words.find(([suffix]) => name.endsWith(suffix));
    return value > 0 && found !== undefined ? [`${found[1]} (${name})`] : [];
  });
}

function nameOf(config: unknown): string {
  return textAt(config, "name") ?? "unnamed";
}
