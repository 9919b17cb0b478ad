/**
 * Whether the queries of applications come to the agent's DNS proxy: each name server of resolv.conf(5) is asked who it is.
 */
import { formatHostPort, type HostPort } from "../net/host-port.ts";
import type { WhoAnswers } from "../dns/report/who-answers.ts";
import { type Finding, ok, warning } from "./finding.ts";

/** One name server as an application asks it. */
export interface SeenNameServer extends HostPort {
  readonly protocol: "udp" | "tcp";
  readonly answer: WhoAnswers;
}

/** What was seen. */
export interface SeenDnsCapture {
  /** Where the DNS proxy listens, and what it says of itself there. */
  readonly proxy: HostPort & { readonly answer: WhoAnswers };
  readonly servers: readonly SeenNameServer[];
  /** Given where the queries of this process are the proxy's own, which are not captured. */
  readonly proxyUser?: number;
  /** Rules are to bring queries there: the interception mode is not NONE. */
  readonly isCaptured: boolean;
}

const name = "capture-dns";

/** One finding. */
export function judgeDnsCapture({ proxy, servers, proxyUser, isCaptured }: SeenDnsCapture): Finding {
  const at = formatHostPort(proxy);
  if (proxy.answer.kind === "failed")
    return warning(
      name,
      `the DNS proxy does not answer at ${at}: ${proxy.answer.message}`,
      "look for it in the agent's log (scope dns), and whether DNS_PROXY_ADDR is what the agent runs with",
    );
  const { id } = proxy.answer;
  if (servers.length === 0)
    return warning(
      name,
      "/etc/resolv.conf names no server: applications ask the one on their own machine",
      "name a server there, whose queries are then captured",
    );
  if (proxyUser !== undefined)
    return ok(
      name,
      `not to be seen as user ${proxyUser}, whose own queries are not captured: look as another one`,
    );
  const astray = servers.filter(({ answer }) => answer.kind === "failed" || answer.id !== id);
  if (astray.length === 0) return ok(name, `queries to ${placesOf(servers)} come to the DNS proxy at ${at}`);
  const [first] = astray as [SeenNameServer];
  const how = first.answer.kind === "failed" ? first.answer.message : "another server answers";
  return warning(
    name,
    `queries to ${placesOf(astray)} do not come to the DNS proxy at ${at}: ${how}`,
    isCaptured
      ? "run outrider iptables with the flags of the init container and --redirect-dns, or set ISTIO_META_DNS_CAPTURE=true for it"
      : "name the DNS proxy in /etc/resolv.conf (DNS_PROXY_ADDR=:53), or have the queries captured: ISTIO_META_INTERCEPTION_MODE=REDIRECT",
  );
}

/** `10.96.0.10:53 (UDP, TCP)` */
function placesOf(servers: readonly SeenNameServer[]): string {
  const byServer = Map.groupBy(servers, formatHostPort);
  return [...byServer]
    .map(([at, seen]) => `${at} (${seen.map(({ protocol }) => protocol.toUpperCase()).join(", ")})`)
    .join(" and ");
}
