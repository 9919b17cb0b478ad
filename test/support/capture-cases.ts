/** Option sets of traffic capture, each named for what it shows. */
import type { CapturePlace } from "../../src/capture/options/read-options.ts";
import { readCaptureOptions } from "../../src/capture/options/read-options.ts";
import { givenSettings } from "../../src/capture/options/given.ts";
import { captureSettings } from "../../src/capture/options/settings.ts";
import type { CapturePlan } from "../../src/capture/plan/plan.ts";
import { planCapture } from "../../src/capture/plan/plan-capture.ts";

/** Flags without their dashes, and variables. */
export type CaptureTexts = Readonly<Record<string, string>>;

/** A pod with IPv4 and IPv6. */
export const dualStackPlace: CapturePlace = {
  proxyUid: undefined,
  groups: new Map([["java", 202]]),
  addresses: ["127.0.0.1", "::1", "fe80::1", "10.1.2.3", "fd00::3"],
  nameServers: ["10.96.0.10", "fd00::10"],
};

/** What the texts ask for, as valid options or problems. */
export function readTexts(
  texts: CaptureTexts,
  place: CapturePlace = dualStackPlace,
): ReturnType<typeof readCaptureOptions> {
  const sources = { flag: (name: string) => texts[name], env: texts };
  return readCaptureOptions(givenSettings(captureSettings, sources), place);
}

/** The plan for texts that are valid. */
export function planFor(texts: CaptureTexts, place: CapturePlace = dualStackPlace): CapturePlan {
  const read = readTexts(texts, place);
  if (read.kind === "invalid") throw new Error(JSON.stringify(read.problems));
  return planCapture(read.options);
}

const all = { "istio-inbound-ports": "*", "istio-service-cidr": "*" } as const;
const tproxy = { ...all, "istio-inbound-interception-mode": "TPROXY" } as const;
const dualStack = { "dual-stack": "true" } as const;
const dns = { ...all, "redirect-dns": "true" } as const;

/** By name of the golden file. */
export const captureCases: Readonly<Record<string, CaptureTexts>> = {
  "nothing-asked-for": {},
  "as-the-injector-asks": {
    "envoy-port": "15001",
    "inbound-capture-port": "15006",
    "proxy-uid": "1337",
    "istio-inbound-interception-mode": "REDIRECT",
    "istio-service-cidr": "*",
    "istio-service-exclude-cidr": "",
    "istio-inbound-ports": "*",
    "istio-local-exclude-ports": "15090,15021,15020",
  },
  everything: all,
  "everything-dual-stack": { ...all, ...dualStack },
  "outbound-port": { ...all, "envoy-port": "16001" },
  "inbound-port": { ...all, "inbound-capture-port": "16006" },
  "tunnel-port": { ...all, "inbound-tunnel-port": "16008" },
  "one-user": { ...all, "proxy-uid": "1500" },
  "two-users": { ...all, "proxy-uid": "1500,1501" },
  "a-group-of-its-own": { ...all, "proxy-gid": "2000" },
  "two-groups": { ...all, "proxy-gid": "2000,2001" },
  "inbound-only": { "istio-inbound-ports": "*" },
  "outbound-only": { "istio-service-cidr": "*" },
  "inbound-list": { "istio-inbound-ports": "80,8080" },
  "inbound-list-ignores-exclusions": { "istio-inbound-ports": "80", "istio-local-exclude-ports": "80" },
  "inbound-exclusions": { ...all, "istio-local-exclude-ports": "22,9090" },
  "outbound-cidrs": { "istio-service-cidr": "10.0.0.0/8,192.168.0.0/16" },
  "outbound-cidrs-of-both-families": { ...dualStack, "istio-service-cidr": "10.0.0.0/8,fd00::/8" },
  "outbound-cidr-with-host-bits": { "istio-service-cidr": "10.1.2.3/8" },
  "outbound-loopback-cidr": { "istio-service-cidr": "127.1.2.3/32,10.0.0.0/8" },
  "outbound-cidrs-excluded": { ...all, "istio-service-exclude-cidr": "169.254.169.254/32,10.9.0.0/16" },
  "outbound-cidrs-excluded-of-both-families": {
    ...all,
    ...dualStack,
    "istio-service-exclude-cidr": "10.9.0.0/16,fd09::/16",
  },
  "outbound-ports": { "istio-outbound-ports": "80,443" },
  "outbound-ports-excluded": { ...all, "istio-local-outbound-ports-exclude": "5432,6379" },
  "interface-excluded": { ...all, "istio-exclude-interfaces": "net1" },
  "interfaces-excluded-by-prefix": { ...all, "istio-exclude-interfaces": "net1,cali+" },
  "interface-excluded-tproxy": { ...tproxy, "istio-exclude-interfaces": "net1" },
  "virtual-interface": { ...all, "kube-virt-interfaces": "eth1" },
  "virtual-interfaces-with-cidrs": {
    "istio-service-cidr": "10.0.0.0/8",
    "istio-inbound-ports": "*",
    "kube-virt-interfaces": "eth1,eth2",
  },
  "group-excluded": { ...all, ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE: "java,303" },
  "groups-included": { ...all, ISTIO_OUTBOUND_OWNER_GROUPS: "java,303" },
  "loopback-cidr": { ...all, ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR: "127.0.0.0/8" },
  "drop-invalid": { ...all, "drop-invalid": "true" },
  "drop-invalid-by-variable": { ...all, INVALID_DROP: "true" },
  dns,
  "dns-dual-stack": { ...dns, ...dualStack },
  "dns-all": { ...dns, "capture-all-dns": "true" },
  "dns-all-dual-stack": { ...dns, ...dualStack, "capture-all-dns": "true" },
  "dns-by-variable": { ...all, ISTIO_META_DNS_CAPTURE: "true" },
  "dns-two-users": { ...dns, "proxy-uid": "1500,1501", "proxy-gid": "2000" },
  tproxy,
  "tproxy-dual-stack": { ...tproxy, ...dualStack },
  "tproxy-list": { ...tproxy, "istio-inbound-ports": "80,8080" },
  "tproxy-exclusions": { ...tproxy, "istio-local-exclude-ports": "22" },
  "tproxy-mark-and-table": {
    ...tproxy,
    "istio-inbound-tproxy-mark": "4242",
    "istio-inbound-tproxy-route-table": "77",
  },
  "tproxy-dns": { ...tproxy, "redirect-dns": "true" },
  "flag-over-variable": { ISTIO_INBOUND_PORTS: "80", "istio-inbound-ports": "81" },
  "variables-of-the-flags": { ISTIO_INBOUND_PORTS: "*", ISTIO_SERVICE_CIDR: "*", PROXY_UID: "1500" },
};
