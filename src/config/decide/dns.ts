/**
 * Whether there is a DNS proxy, and what it is run with.
 */
import { isIP } from "node:net";
import type { DnsOptions, ListenPlace } from "../../dns/options.ts";
import { unbracketed } from "../../net/host-port.ts";
import { type ConfigProblem, shown } from "../../schema/config-problem.ts";
import { parseGoBoolean } from "../../schema/go-boolean.ts";
import type { Environment } from "../sources/environment.ts";
import type { ProxyFlags } from "../sources/proxy-flags.ts";
import type { NodeDescription } from "./node.ts";

/** What decides. */
export interface DnsSources {
  readonly env: Environment;
  readonly flags: ProxyFlags;
  readonly node: Pick<NodeDescription, "metadata">;
  readonly proxyType: string;
  /** Such as `demo.svc.cluster.local`. */
  readonly domain: string;
}

const usualAddress = "localhost:15053";
const systemFile = "/etc/resolv.conf";

/** Where whoever points the system's file at the agent keeps the servers that were in it. */
const keptFile = "/var/lib/istio/resolv.conf";

/** Undefined unless ISTIO_META_DNS_CAPTURE asks for it on a sidecar, or ISTIO_META_ENABLE_DNS_SERVER on any proxy. */
export function dnsOptions(
  { env, flags, node, proxyType, domain }: DnsSources,
  problems: ConfigProblem[],
): DnsOptions | undefined {
  const isOn = (key: string): boolean => {
    const value = node.metadata[key];
    return typeof value === "string" && parseGoBoolean(value) === true;
  };
  const isWanted = (isOn("DNS_CAPTURE") && proxyType === "sidecar") || isOn("ENABLE_DNS_SERVER");
  if (!isWanted) return undefined;
  const address = env.DNS_PROXY_ADDR || usualAddress;
  const listen = listenPlace(address);
  if (listen === undefined) {
    const message = `${shown(address)} is not an address and a port such as ${usualAddress}, 127.0.0.1:15053 or :53`;
    problems.push({ source: "DNS_PROXY_ADDR", path: "", message });
    return undefined;
  }
  const isSystems = listen.kind === "every address";
  return {
    listen,
    place: { namespace: env.POD_NAMESPACE, domain },
    resolvConfPaths: isSystems ? [keptFile, systemFile] : [systemFile],
    upstreamPort: 53,
    isParallel: env.DNS_FORWARD_PARALLEL,
    forwardTimeoutMs: env.DNS_FORWARD_TIMEOUT,
    ttlSeconds: flags.dnsTtl,
    shuffles: flags.dnsShuffle,
    // Whoever has no other resolver needs names before there is a mesh: the control plane's for one.
    gateMs: isSystems ? 0 : flags.dnsGate,
    cacheEntries: flags.dnsCache,
    serveStaleMs: flags.dnsServeStale,
    clientQueries: flags.dnsClientLimit,
  };
}

function listenPlace(address: string): ListenPlace | undefined {
  const [, left = "", digits = ""] = /^(.*):(\d{1,5})$/s.exec(address) ?? [];
  const port = Number(digits);
  const host = unbracketed(left);
  if (digits === "" || port < 1 || port > 65_535) return undefined;
  if (host === "") return { kind: "every address", port };
  if (host === "localhost") return { kind: "localhost", port };
  return isIP(host) === 0 ? undefined : { kind: "address", host, port };
}
