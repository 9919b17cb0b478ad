/** Connections that this pod makes. */
import { isLoopback } from "../options/address.ts";
import type { CaptureOptions } from "../options/options.ts";
import {
  back,
  from,
  fromInterface,
  jump,
  marked,
  notTo,
  notToPort,
  notToPorts,
  tcp,
  throughLoopback,
  to,
  toPort,
  udp,
} from "./matches.ts";
import { proxyOwners } from "./owner.ts";
import { type FamilyPlace, textsOf } from "./place.ts";
import { type Action, builtIn, chains, type Match, type Rule } from "./plan.ts";
import { isTproxy } from "./tproxy.ts";

/** A rule of the outbound chain. */
function output(matches: readonly Match[], action: Action, because: string): Rule {
  return { table: "nat", chain: chains.output, matches, action, because };
}

/** What is decided before it is asked who is called: by port, by the proxy's own users and groups, by group. */
export function outboundByCaller(options: CaptureOptions, place: FamilyPlace): readonly Rule[] {
  return [
    {
      table: "nat",
      chain: builtIn.output,
      matches: [],
      action: jump(chains.output),
      because: "what this pod sends may be captured",
    },
    ...options.outboundPortsExcluded.flatMap((port) =>
      [tcp, udp].map((protocol) =>
        output([protocol, toPort(port)], back, `outbound port ${port} is excluded`),
      ),
    ),
    output(
      [throughLoopback, from(place.passthrough)],
      back,
      "Envoy calls the application from this address: the call has been through Envoy",
    ),
    ...transparentCalls(options),
    ...proxyOwners(options).flatMap((owner) => ownTraffic(options, place, owner)),
    ...ownerGroups(options),
  ];
}

/** Not among Istio's rules, whose Envoy calls itself for ever when its user is the proxy's, and not root. */
function transparentCalls(options: CaptureOptions): readonly Rule[] {
  if (!isTproxy(options)) return [];
  return [
    output(
      [tcp, throughLoopback, marked(options.tproxyMark)],
      back,
      "Envoy calls the application from its caller's address: the call has been through Envoy",
    ),
  ];
}

/** What the proxy itself sends, and what others send to themselves. */
function ownTraffic(
  options: CaptureOptions,
  { loopback, family }: FamilyPlace,
  { kind, is, isNot }: ReturnType<typeof proxyOwners>[number],
): readonly Rule[] {
  const { dns, tunnelPort, outboundCidrs } = options;
  const isDns = dns !== undefined;
  const others = isDns && kind === "uid" ? notToPorts(53, tunnelPort) : notToPort(tunnelPort);
  const capturesLoopback =
    outboundCidrs !== "*" && outboundCidrs.some((cidr) => cidr.family === family && isLoopback(cidr));
  return [
    output(
      [throughLoopback, notTo(loopback), tcp, others, is],
      jump(chains.inRedirect),
      "the application called its own service and Envoy chose this pod: the call comes in as any other",
    ),
    ...(capturesLoopback
      ? []
      : [
          output(
            isDns ? [throughLoopback, tcp, notToPort(53), isNot] : [throughLoopback, isNot],
            back,
            "the application calls itself by its own address",
          ),
        ]),
    output([is], back, "the proxy's own connections are not captured again"),
  ];
}

function ownerGroups({ outboundGroups, outboundGroupsExcluded }: CaptureOptions): readonly Rule[] {
  if (outboundGroups === "*")
    return outboundGroupsExcluded.map((id) =>
      output([{ kind: "gid", id }], back, `processes of group ${id} are excluded`),
    );
  return [
    output(
      outboundGroups.map((id) => ({ kind: "gid", id, not: true })),
      back,
      "processes of other groups are not captured",
    ),
  ];
}

/** What is decided by who is called. */
export function outboundByDestination(options: CaptureOptions, place: FamilyPlace): readonly Rule[] {
  const { outboundCidrs, outboundCidrsExcluded, outboundPorts, virtualInterfaces } = options;
  const redirect = jump(chains.redirect);
  const included = (matches: readonly Match[], because: string): readonly Rule[] => [
    output(matches, redirect, because),
    ...virtualInterfaces.map((name): Rule => ({
      table: "nat",
      chain: builtIn.prerouting,
      at: 1,
      matches: [fromInterface(name), ...matches],
      action: redirect,
      because: `what ${name} brings is outbound: ${because}`,
    })),
  ];
  return [
    output([to(place.loopback)], back, "calls to this pod's own loopback address stay there"),
    ...textsOf(outboundCidrsExcluded, place.family).map((cidr) =>
      output([to(cidr)], back, `outbound addresses ${cidr} are excluded`),
    ),
    ...outboundPorts.map((port) =>
      output([tcp, toPort(port)], redirect, `outbound port ${port} is captured`),
    ),
    ...(outboundCidrs === "*"
      ? included([], "every other outbound connection is captured")
      : textsOf(outboundCidrs, place.family).flatMap((cidr) =>
          included([to(cidr)], `outbound addresses ${cidr} are captured`),
        )),
  ];
}
