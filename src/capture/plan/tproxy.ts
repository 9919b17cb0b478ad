/** Marks that keep TPROXY's connections on their way, in both directions and through loopback. */
import type { CaptureOptions } from "../options/options.ts";
import { back, from, fromInterface, marked, notMarked, notTo, tcp, throughLoopback } from "./matches.ts";
import { proxyOwners } from "./owner.ts";
import type { FamilyPlace } from "./place.ts";
import { type Action, builtIn, chains, type Match, type Route, type Rule } from "./plan.ts";

function mangle(chain: string, matches: readonly Match[], action: Action, because: string): Rule {
  return { table: "mangle", chain, matches, action, because };
}

/** Not with REDIRECT, or where nothing inbound is captured. */
export function isTproxy({ inboundMode, inboundPorts }: CaptureOptions): boolean {
  return inboundMode === "TPROXY" && inboundPorts.length > 0;
}

/** None without TPROXY. */
export function tproxyMarks(options: CaptureOptions, place: FamilyPlace): readonly Rule[] {
  const { tproxyMark } = options;
  if (!isTproxy(options)) return [];
  const outboundMark = tproxyMark + 1;
  const toApplication = "Envoy's call to the application keeps the caller's address";
  return [
    mangle(builtIn.prerouting, [tcp, marked(tproxyMark)], { kind: "save-mark" }, toApplication),
    mangle(builtIn.output, [tcp, throughLoopback, marked(tproxyMark)], back, toApplication),
    ...proxyOwners(options).map(({ is }) =>
      mangle(
        builtIn.output,
        [notTo(place.loopback), tcp, throughLoopback, is],
        { kind: "set-mark", mark: outboundMark },
        "Envoy calls its own pod: the call is inbound and captured",
      ),
    ),
    mangle(
      builtIn.output,
      [tcp, { kind: "connection-mark", mark: tproxyMark }],
      { kind: "restore-mark" },
      "the application's answers go back to Envoy",
    ),
    ...[
      mangle(chains.inbound, [tcp, marked(tproxyMark)], back, toApplication),
      mangle(
        chains.inbound,
        [tcp, from(place.passthrough), fromInterface("lo")],
        back,
        "Envoy calls the application from this address: the call has been through Envoy",
      ),
      mangle(
        chains.inbound,
        [tcp, fromInterface("lo"), notMarked(outboundMark)],
        back,
        "the application calls itself by its own address",
      ),
    ].map((rule, index) => ({ ...rule, at: index + 1 })),
  ];
}

/** Of the family. */
export function routes(options: CaptureOptions, { family }: FamilyPlace): readonly Route[] {
  const { tproxyMark: mark, tproxyRouteTable: table } = options;
  const passthrough: Route = {
    kind: "address",
    address: "::6/128",
    because: "Envoy calls the application from this address",
  };
  const forMark: readonly Route[] = [
    { kind: "rule", mark, table, because: "packets of TPROXY have a routing table of their own" },
    { kind: "local-default", table, because: "in which every address is this machine" },
  ];
  // Without a rule that sets the mark nobody could tell whose its routes are.
  return [...(family === "ipv6" ? [passthrough] : []), ...(isTproxy(options) ? forMark : [])];
}
