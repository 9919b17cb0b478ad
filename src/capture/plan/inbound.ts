/** Connections from outside to this pod. */
import type { CaptureOptions } from "../options/options.ts";
import { back, jump, notTo, tcp, toPort } from "./matches.ts";
import type { FamilyPlace } from "./place.ts";
import { builtIn, chains, type Match, type Rule } from "./plan.ts";

/** The chains that hand over to Envoy. */
export function handOver({ tunnelPort, outboundPort, inboundPort }: CaptureOptions): readonly Rule[] {
  return [
    {
      table: "nat",
      chain: chains.inbound,
      matches: [tcp, toPort(tunnelPort)],
      action: back,
      because: "HBONE reaches Envoy by itself",
    },
    {
      table: "nat",
      chain: chains.redirect,
      matches: [tcp],
      action: { kind: "redirect", port: outboundPort, protocol: "tcp" },
      because: "Envoy takes outbound connections here",
    },
    {
      table: "nat",
      chain: chains.inRedirect,
      matches: [tcp],
      action: { kind: "redirect", port: inboundPort, protocol: "tcp" },
      because: "Envoy takes inbound connections here",
    },
  ];
}

/** Which inbound connections are captured. */
export function inbound(options: CaptureOptions, place: FamilyPlace): readonly Rule[] {
  const { inboundMode, inboundPorts, inboundPortsExcluded } = options;
  if (inboundPorts.length === 0) return [];
  const table = inboundMode === "TPROXY" ? "mangle" : "nat";
  const rules: Rule[] = [
    {
      table,
      chain: builtIn.prerouting,
      matches: [tcp],
      action: jump(chains.inbound),
      because: "TCP that arrives may be captured",
    },
  ];
  if (inboundPorts === "*") {
    for (const port of inboundPortsExcluded)
      rules.push({
        table,
        chain: chains.inbound,
        matches: [tcp, toPort(port)],
        action: back,
        because: `inbound port ${port} is excluded`,
      });
    rules.push(...captured(options, [tcp], "every other inbound port is captured"));
  } else {
    for (const port of inboundPorts)
      rules.push(...captured(options, [tcp, toPort(port)], `inbound port ${port} is captured`));
  }
  return inboundMode === "TPROXY" ? [...tproxyChains(options, place), ...rules] : rules;
}

function captured(
  { inboundMode }: CaptureOptions,
  matches: readonly Match[],
  because: string,
): readonly Rule[] {
  if (inboundMode === "REDIRECT")
    return [{ table: "nat", chain: chains.inbound, matches, action: jump(chains.inRedirect), because }];
  return [
    {
      table: "mangle",
      chain: chains.inbound,
      matches: [...matches, { kind: "connection-state", states: ["RELATED", "ESTABLISHED"] }],
      action: jump(chains.divert),
      because: "packets of a captured connection go where its first one went",
    },
    { table: "mangle", chain: chains.inbound, matches, action: jump(chains.tproxy), because },
  ];
}

function tproxyChains(
  { inboundPort, tproxyMark }: CaptureOptions,
  { loopback }: FamilyPlace,
): readonly Rule[] {
  return [
    {
      table: "mangle",
      chain: chains.divert,
      matches: [],
      action: { kind: "set-mark", mark: tproxyMark },
      because: "the mark leads to the routing table in which every address is this machine",
    },
    {
      table: "mangle",
      chain: chains.divert,
      matches: [],
      action: { kind: "accept" },
      because: "nothing else has to be decided",
    },
    {
      table: "mangle",
      chain: chains.tproxy,
      matches: [notTo(loopback), tcp],
      action: { kind: "tproxy", port: inboundPort, mark: tproxyMark },
      because: "Envoy takes inbound connections here, with the caller's address",
    },
  ];
}
