/**
 * DNS queries to the agent's server, and conntrack zones that keep apart its own and the application's queries, which
 * would be one connection to the kernel where both come from the same port.
 */
import type { CaptureOptions } from "../options/options.ts";
import { from, fromPort, jump, to, toPort, udp } from "./matches.ts";
import { proxyOwners } from "./owner.ts";
import type { FamilyPlace } from "./place.ts";
import { type Action, builtIn, chains, type Match, type Rule } from "./plan.ts";

/** Where the agent answers. */
const agentDnsPort = 15_053;

const zones = { agent: 1, application: 2 } as const;

/** None where this family has no name server. */
export function dns(options: CaptureOptions, { nameServers }: FamilyPlace): readonly Rule[] {
  if (nameServers === undefined) return [];
  const perServer = (make: (server: string | undefined) => Rule): readonly Rule[] =>
    nameServers === "*" ? [make(undefined)] : nameServers.map(make);
  const redirect = (protocol: "tcp" | "udp"): readonly Rule[] =>
    perServer((server) => ({
      table: "nat",
      chain: chains.dns,
      matches: [{ kind: "protocol", protocol }, toPort(53), ...(server === undefined ? [] : [to(server)])],
      action: { kind: "redirect", port: agentDnsPort, protocol },
      because: `the agent answers DNS over ${protocol.toUpperCase()}`,
    }));
  const raw = (chain: string, matches: readonly Match[], action: Action, because: string): Rule => ({
    table: "raw",
    chain,
    matches,
    action,
    because,
  });
  const zone = (id: number): Action => ({ kind: "zone", zone: id });
  return [
    raw(builtIn.output, [], jump(chains.dns), "queries are told apart before the kernel tracks them"),
    {
      table: "nat",
      chain: chains.output,
      matches: [],
      action: jump(chains.dns),
      because: "what is sent may be a DNS query",
    },
    ...redirect("tcp"),
    ...redirect("udp"),
    ...proxyOwners(options).flatMap(({ is }) => [
      raw(chains.dns, [udp, toPort(53), is], zone(zones.agent), "the agent's own queries"),
      raw(chains.dns, [udp, fromPort(agentDnsPort), is], zone(zones.application), "the agent's answers"),
    ]),
    raw(builtIn.prerouting, [], jump(chains.inbound), "answers are told apart as queries are"),
    ...perServer((server) =>
      raw(
        chains.dns,
        [udp, toPort(53), ...(server === undefined ? [] : [to(server)])],
        zone(zones.application),
        "the application's queries",
      ),
    ),
    ...perServer((server) =>
      raw(
        chains.inbound,
        [udp, fromPort(53), ...(server === undefined ? [] : [from(server)])],
        zone(zones.agent),
        "answers to the agent's own queries",
      ),
    ),
  ];
}
