/**
 * Options → plan: the order of the rules is the meaning of them.
 */
import type { Family } from "../options/address.ts";
import type { CaptureOptions } from "../options/options.ts";
import { dns } from "./dns.ts";
import { handOver, inbound } from "./inbound.ts";
import { dropInvalid, excludedInterfaces, virtualInterfaces } from "./interfaces.ts";
import { outboundByCaller, outboundByDestination } from "./outbound.ts";
import { placeOf } from "./place.ts";
import type { CapturePlan, FamilyPlan } from "./plan.ts";
import { routes, tproxyMarks } from "./tproxy.ts";

/** IPv4 always, IPv6 where the options say so. */
export function planCapture(options: CaptureOptions): CapturePlan {
  return options.ipv6
    ? [planFamily("ipv4", options), planFamily("ipv6", options)]
    : [planFamily("ipv4", options)];
}

function planFamily(family: Family, options: CaptureOptions): FamilyPlan {
  const place = placeOf(family, options);
  const rules = [
    ...excludedInterfaces(options),
    ...virtualInterfaces(options),
    ...dropInvalid(options),
    ...handOver(options),
    ...inbound(options, place),
    ...outboundByCaller(options, place),
    ...dns(options, place),
    ...outboundByDestination(options, place),
    ...tproxyMarks(options, place),
  ];
  return { family, rules, routes: routes(options, place) };
}
