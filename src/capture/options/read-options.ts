/**
 * Texts of flags and variables → options, or every problem at once.
 */
import { type ConfigProblem, shown } from "../../schema/config-problem.ts";
import { type NumberRange, ports } from "../../schema/range.ts";
import { type Cidr, isLoopback, overlaps, parseCidr } from "./address.ts";
import {
  cidr,
  type Given,
  kinds,
  networkInterface,
  port,
  readAll,
  readBoolean,
  readList,
  readNumber,
  wholeNumber,
} from "./lists.ts";
import type { CaptureOptions, InterceptionMode } from "./options.ts";
import type { SettingName } from "./settings.ts";

/** What is read from the place that is captured. */
export interface CapturePlace {
  /** ID of Envoy's user, where the system knows it. */
  readonly proxyUid: number | undefined;
  /** IDs of groups by name. */
  readonly groups: ReadonlyMap<string, number>;
  /** Of every interface. */
  readonly addresses: readonly string[];
  /** Name servers of `/etc/resolv.conf`; undefined where they are not known. */
  readonly nameServers: readonly string[] | undefined;
}

/** Options with what should be said about them, or what is wrong. */
export type ReadOptions =
  | { readonly kind: "valid"; readonly options: CaptureOptions; readonly warnings: readonly string[] }
  | { readonly kind: "invalid"; readonly problems: readonly ConfigProblem[] };

/** Envoy's user where the system names none, as in Istio's images. */
const defaultProxyUid = 1337;

/** An owner rule has room for so many groups (xt_owner, as Istio bounds it). */
const mostGroups = 64;

const marks: NumberRange = { least: 1, most: 0xffff_fffe };
const routeTables: NumberRange = { least: 1, most: 0xffff_ffff };
const reservedRouteTables: readonly number[] = [253, 254, 255];
const ids: NumberRange = { least: 0, most: 0xffff_fffe };

/** @param given every setting, its default where nothing was said */
export function readCaptureOptions(
  given: Readonly<Record<SettingName, Given>>,
  place: CapturePlace,
): ReadOptions {
  const problems: ConfigProblem[] = [];
  const warnings: string[] = [];
  const refuse = (name: SettingName, message: string): void => {
    problems.push({ source: given[name].source, path: "", message });
  };
  const portList = (name: SettingName): readonly number[] =>
    readList(given[name], kinds.port, port, problems);
  const cidrList = (name: SettingName): readonly Cidr[] => readList(given[name], kinds.cidr, cidr, problems);

  const id = (text: string): number | undefined => {
    const value = wholeNumber(text);
    return value === undefined || value > ids.most ? undefined : value;
  };
  const uids = readList(given.proxyUid, "the ID of a user", id, problems);
  const proxyUids = uids.length > 0 ? uids : [place.proxyUid ?? defaultProxyUid];
  const gids = readList(given.proxyGid, "the ID of a group", id, problems);
  const proxyGids = gids.length > 0 ? gids : proxyUids;

  const groupKind = "the ID of a group, or the name of one in /etc/group";
  const group = (text: string): number | undefined => id(text) ?? place.groups.get(text);
  const outboundGroups = readAll(given.outboundGroups, groupKind, group, problems);
  const outboundGroupsExcluded = readList(given.outboundGroupsExcluded, groupKind, group, problems);
  // A list without anybody would capture nothing at all.
  if (outboundGroups.length === 0 && problems.length === 0) refuse("outboundGroups", "names no group");
  for (const [name, list] of [
    ["outboundGroups", outboundGroups],
    ["outboundGroupsExcluded", outboundGroupsExcluded],
  ] as const) {
    if (list.length > mostGroups) refuse(name, `more than ${mostGroups} groups`);
  }
  if (outboundGroups !== "*" && outboundGroupsExcluded.length > 0)
    warnings.push(`${given.outboundGroupsExcluded.source} is of no effect beside a list of groups`);

  const inboundPorts = readAll(given.inboundPorts, kinds.port, port, problems);
  const inboundPortsExcluded = portList("inboundPortsExcluded");
  if (inboundPorts !== "*" && inboundPortsExcluded.length > 0)
    warnings.push(
      `${given.inboundPortsExcluded.source} is of no effect unless all inbound ports are captured`,
    );

  const [outboundPort, inboundPort, tunnelPort] = (
    ["outboundPort", "inboundPort", "tunnelPort"] as const
  ).map((name) => readNumber(given[name], ports, problems)) as [number, number, number];
  if (outboundPort === inboundPort) refuse("inboundPort", "is the port for outbound connections too");

  const tproxyRouteTable = readNumber(given.tproxyRouteTable, routeTables, problems);
  if (reservedRouteTables.includes(tproxyRouteTable))
    refuse("tproxyRouteTable", `${tproxyRouteTable} is the system's own`);

  const dns = {
    isOn: readBoolean(given.redirectDns, problems),
    // Those of the node are not those of the pod.
    isAll: readBoolean(given.captureAllDns, problems) || place.nameServers === undefined,
    servers: (place.nameServers ?? []).flatMap((server) => parseCidr(server) ?? []),
  };
  const hasNoServers = dns.isOn && !dns.isAll && dns.servers.length === 0;
  if (hasNoServers) warnings.push("/etc/resolv.conf names no server: DNS is not captured");

  const options: CaptureOptions = {
    outboundPort,
    inboundPort,
    tunnelPort,
    proxyUids,
    proxyGids,
    inboundMode: readMode(given.inboundMode, problems),
    inboundPorts,
    inboundPortsExcluded,
    interfacesExcluded: readList(given.interfacesExcluded, kinds.interface, networkInterface, problems),
    virtualInterfaces: readList(given.virtualInterfaces, kinds.interface, networkInterface, problems),
    outboundCidrs: readAll(given.outboundCidrs, kinds.cidr, cidr, problems),
    outboundCidrsExcluded: cidrList("outboundCidrsExcluded"),
    outboundPorts: portList("outboundPorts"),
    outboundPortsExcluded: portList("outboundPortsExcluded"),
    outboundGroups,
    outboundGroupsExcluded,
    loopbackCidr: readLoopback(given.loopbackCidr, problems),
    tproxyMark: readNumber(given.tproxyMark, marks, problems),
    tproxyRouteTable,
    dns: dns.isOn && !hasNoServers ? { servers: dns.isAll ? "*" : dns.servers } : undefined,
    dropInvalid: readBoolean(given.dropInvalid, problems),
    ipv6: needsIpv6(place.addresses, readBoolean(given.dualStack, problems)),
  };
  return problems.length > 0 ? { kind: "invalid", problems } : { kind: "valid", options, warnings };
}

function readMode({ source, text }: Given, problems: ConfigProblem[]): InterceptionMode {
  if (text === "TPROXY" || text === "REDIRECT") return text;
  problems.push({ source, path: "", message: `${shown(text)} is not REDIRECT or TPROXY` });
  return "REDIRECT";
}

const loopbackBlock: Cidr = { family: "ipv4", text: "127.0.0.0/8" };

function readLoopback({ source, text }: Given, problems: ConfigProblem[]): Cidr {
  const found = parseCidr(text);
  if (found?.family === "ipv4" && isLoopback(found)) return found;
  problems.push({ source, path: "", message: `${shown(text)} is not a block inside 127.0.0.0/8` });
  return loopbackBlock;
}

/** Beside IPv4 where both are asked for, else where there is no IPv4, whatever the order of the interfaces. */
function needsIpv6(addresses: readonly string[], dualStack: boolean): boolean {
  const blocks = addresses.flatMap((address) => parseCidr(address) ?? []);
  const reachable = blocks.filter((block) => !unreachable.some((other) => overlaps(block, other)));
  const has = (family: string): boolean => reachable.some((block) => block.family === family);
  return has("ipv6") && (dualStack || !has("ipv4"));
}

/** Loopback and link-local. */
const unreachable: readonly Cidr[] = [
  loopbackBlock,
  { family: "ipv4", text: "169.254.0.0/16" },
  { family: "ipv6", text: "::1/128" },
  { family: "ipv6", text: "fe80::/10" },
];
