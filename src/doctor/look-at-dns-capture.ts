/** Asks the DNS proxy and the name servers who they are. */
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { askWhoAnswers } from "../dns/report/who-answers.ts";
import { placesOf } from "../dns/listen-places.ts";
import type { DnsOptions } from "../dns/options.ts";
import type { HostPort } from "../net/host-port.ts";
import { parseResolvConf } from "./dns.ts";
import type { SeenDnsCapture } from "./dns-capture.ts";
import { isProxyUser } from "./look-at-capture.ts";

/** Shorter than a check's deadline, in milliseconds. */
const withinMs = 2_000;

/** Resolvers ask no more of them. */
const maxServers = 3;

const dnsPort = 53;

/** @param isCaptured rules are to bring queries to the proxy */
export async function lookAtDnsCapture(
  { listen }: Pick<DnsOptions, "listen">,
  isCaptured: boolean,
): Promise<SeenDnsCapture> {
  const { nameservers } = parseResolvConf(readFileSync("/etc/resolv.conf", "utf8"));
  const servers: readonly HostPort[] = nameservers
    .filter((host) => isIP(host) !== 0)
    .slice(0, maxServers)
    .map((host) => ({ host, port: dnsPort }));
  const [place = { host: "127.0.0.1", port: dnsPort }] = placesOf(listen, servers);
  const proxy = { host: reachable(place.host), port: place.port };
  const asked = servers.flatMap((server) =>
    (["udp", "tcp"] as const).map((protocol) => ({ ...server, protocol })),
  );
  const [own, ...answers] = await Promise.all([
    askWhoAnswers(proxy, "udp", withinMs),
    ...asked.map((one) => askWhoAnswers(one, one.protocol, withinMs)),
  ]);
  return {
    proxy: { ...proxy, answer: own },
    servers: asked.flatMap((one, index) => {
      const answer = answers[index];
      return answer === undefined ? [] : [{ ...one, answer }];
    }),
    ...(isProxyUser() ? { proxyUser: process.geteuid?.() ?? 0 } : {}),
    isCaptured,
  };
}

/** Whoever listens everywhere listens there. */
function reachable(host: string): string {
  return host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
}
