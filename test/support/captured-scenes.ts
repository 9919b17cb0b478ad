/**
 * What a pod is told to capture, and where its connections end then.
 *
 * The pod is 10.55.0.1 and fd55::1; another pod, which is the name server too, is 10.55.0.2 and fd55::2, and has addresses
 * in 10.66.0.0/16 and fd66::/64. It is the pod's neighbour on a second interface, `net1`, as well. Behind `vm0` is a
 * virtual machine, 10.77.0.2.
 */
import type { CapturePlace } from "../../src/capture/options/read-options.ts";
import type { CaptureTexts } from "./capture-cases.ts";
import { type CapturedPod, capturedPods } from "./captured-envoy.ts";
import type { PeerCall } from "./captured-peer.ts";

/** Who calls: processes of the pod by user and group, the other pod, and a virtual machine. */
export type Caller = "application" | "proxy" | "proxy's group" | "group 202" | "other" | "vm";

/** One call, and what comes of it. */
export interface SceneCall {
  readonly by: Caller;
  readonly call: PeerCall;
  /** As `callPeer` says it. */
  readonly ends: string;
}

/** One set of options. */
export interface Scene {
  /** Which pair of Envoy's listeners gets what is captured. */
  readonly pod: CapturedPod;
  readonly texts: CaptureTexts;
  /** By what it is. */
  readonly calls: Readonly<Record<string, SceneCall>>;
}

/** Ports of the application: captured, excluded, and HBONE's, which Envoy itself would answer. */
export const applicationPorts = [8_080, 9_090, 15_008] as const;

/** Ports of the other pod: captured, excluded, and named. */
export const otherPorts = [80, 7_070, 8_081] as const;

/** Where the agent answers DNS. */
export const agentDnsPort = 15_053;

/** What is read in a pod of both families, and in one of IPv6 alone. */
export function scenePlace(pod: CapturedPod): CapturePlace {
  const ipv4 = pod === "ipv6" ? [] : ["10.55.0.1"];
  return {
    proxyUid: 1_337,
    groups: new Map(),
    addresses: ["127.0.0.1", "::1", "fe80::1", ...ipv4, "fd55::1"],
    nameServers: pod === "ipv6" ? ["fd55::2"] : ["10.55.0.2", "fd55::2"],
  };
}

const tcp = (by: Caller, host: string, port: number, ends: string): SceneCall => ({
  by,
  call: { host, port },
  ends,
});
const dns = (by: Caller, protocol: "tcp" | "udp", host: string, ends: string): SceneCall => ({
  by,
  call: { protocol, host, port: 53 },
  ends,
});
const toApplication = (localAddress: string, host: string): SceneCall => ({
  by: "proxy",
  call: { host, port: 8_080, localAddress },
  ends: `application from ${localAddress} directly`,
});

function ports(pod: CapturedPod): CaptureTexts {
  const { outbound, inbound } = capturedPods[pod];
  return { "envoy-port": String(outbound), "inbound-capture-port": String(inbound) };
}

const everything = { "istio-inbound-ports": "*", "istio-service-cidr": "*" } as const;

const ipv6Calls: Scene["calls"] = {
  "out, IPv6": tcp("application", "fd55::2", 80, "other from fd55::1 through Envoy"),
  "out of the proxy, IPv6": tcp("proxy", "fd55::2", 80, "other from fd55::1 directly"),
  "in, IPv6": tcp("other", "fd55::1", 8_080, "application from ::6 through Envoy"),
  "the application to itself by loopback, IPv6": tcp(
    "application",
    "::1",
    8_080,
    "application from ::1 directly",
  ),
  "the application to itself by its address, IPv6": tcp(
    ...(["application", "fd55::1", 8_080, "application from fd55::1 directly"] as const),
  ),
  "the proxy to its own pod, IPv6": tcp("proxy", "fd55::1", 8_080, "application from ::6 through Envoy"),
  "the proxy to the application, IPv6": toApplication("::6", "fd55::1"),
  "DNS over UDP, IPv6": dns("application", "udp", "fd55::2", "agent from fd55::1 directly"),
  "DNS over TCP, IPv6": dns("application", "tcp", "fd55::2", "agent from fd55::1 directly"),
  "the agent's own DNS over UDP, IPv6": dns("proxy", "udp", "fd55::2", "other from fd55::1 directly"),
};

const ownCalls: Scene["calls"] = {
  "the application to itself by loopback": tcp(
    ...(["application", "127.0.0.1", 8_080, "application from 127.0.0.1 directly"] as const),
  ),
  "the application to itself by its address": tcp(
    ...(["application", "10.55.0.1", 8_080, "application from 10.55.0.1 directly"] as const),
  ),
  "the proxy to the application": toApplication("127.0.0.6", "10.55.0.1"),
};

const dnsCalls: Scene["calls"] = {
  "DNS over UDP": dns("application", "udp", "10.55.0.2", "agent from 10.55.0.1 directly"),
  "DNS over TCP": dns("application", "tcp", "10.55.0.2", "agent from 10.55.0.1 directly"),
  "the agent's own DNS over UDP": dns("proxy", "udp", "10.55.0.2", "other from 10.55.0.1 directly"),
  "the agent's own DNS over TCP": dns("proxy", "tcp", "10.55.0.2", "other from 10.55.0.1 directly"),
};

const outside = "other from 10.55.0.1 directly";
const captured = "other from 10.55.0.1 through Envoy";

/** By name. */
export const scenes = {
  "REDIRECT of everything but what is excluded, in both families": {
    pod: "redirect",
    texts: {
      ...everything,
      ...ports("redirect"),
      "dual-stack": "true",
      "redirect-dns": "true",
      "drop-invalid": "true",
      "istio-service-exclude-cidr": "10.66.0.0/16,fd66::/64",
      "istio-local-exclude-ports": "9090",
      "istio-local-outbound-ports-exclude": "7070",
      "istio-exclude-interfaces": "net1",
      "kube-virt-interfaces": "vm0",
      ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE: "202",
    },
    calls: {
      out: tcp("application", "10.55.0.2", 80, captured),
      "out to an excluded port": tcp("application", "10.55.0.2", 7_070, outside),
      "out to an excluded port, IPv6": tcp("application", "fd55::2", 7_070, "other from fd55::1 directly"),
      "out to an excluded CIDR": tcp("application", "10.66.0.2", 80, outside),
      "out to an excluded CIDR, IPv6": tcp("application", "fd66::2", 80, "other from fd55::1 directly"),
      "out of an excluded group": tcp("group 202", "10.55.0.2", 80, outside),
      "out of the proxy's user": tcp("proxy", "10.55.0.2", 80, outside),
      "out of the proxy's group": tcp("proxy's group", "10.55.0.2", 80, outside),
      "out by an excluded interface": tcp("application", "10.88.0.2", 80, "other from 10.88.0.1 directly"),
      "out of a virtual machine": tcp("vm", "10.55.0.2", 80, captured),
      in: tcp("other", "10.55.0.1", 8_080, "application from 127.0.0.6 through Envoy"),
      "in to an excluded port": tcp("other", "10.55.0.1", 9_090, "application from 10.55.0.2 directly"),
      "in to HBONE's port": tcp("other", "10.55.0.1", 15_008, "application from 10.55.0.2 directly"),
      "in by an excluded interface": tcp("other", "10.88.0.1", 8_080, "application from 10.88.0.2 directly"),
      "the proxy to its own pod": tcp(
        ...(["proxy", "10.55.0.1", 8_080, "application from 127.0.0.6 through Envoy"] as const),
      ),
      // Its user is asked for first, and is another: as with Istio's rules.
      "the proxy's group to its own pod": tcp(
        ...(["proxy's group", "10.55.0.1", 8_080, "application from 10.55.0.1 directly"] as const),
      ),
      ...ownCalls,
      ...dnsCalls,
      ...ipv6Calls,
    },
  },
  "REDIRECT of what is named": {
    pod: "redirect",
    texts: {
      ...ports("redirect"),
      "istio-inbound-ports": "8080",
      "istio-service-cidr": "10.55.0.0/24",
      "istio-outbound-ports": "8081",
      "kube-virt-interfaces": "vm0",
      ISTIO_OUTBOUND_OWNER_GROUPS: "202",
    },
    calls: {
      "out of an included group to an included CIDR": tcp("group 202", "10.55.0.2", 80, captured),
      "out of an included group to another CIDR": tcp("group 202", "10.66.0.2", 80, outside),
      "out of an included group to an included port": tcp("group 202", "10.66.0.2", 8_081, captured),
      "out of another group": tcp("application", "10.55.0.2", 80, outside),
      "out of a virtual machine to an included CIDR": tcp("vm", "10.55.0.2", 80, captured),
      "out, IPv6, where the pod is captured for IPv4": tcp(
        ...(["group 202", "fd55::2", 80, "other from fd55::1 directly"] as const),
      ),
      "in to an included port": tcp("other", "10.55.0.1", 8_080, "application from 127.0.0.6 through Envoy"),
      "in to another port": tcp("other", "10.55.0.1", 9_090, "application from 10.55.0.2 directly"),
      "the agent's own DNS over UDP": dns("application", "udp", "10.55.0.2", outside),
    },
  },
  "TPROXY of everything, in both families": {
    pod: "tproxy",
    texts: {
      ...everything,
      ...ports("tproxy"),
      "istio-inbound-interception-mode": "TPROXY",
      "istio-local-exclude-ports": "9090",
      "istio-exclude-interfaces": "net1",
      "dual-stack": "true",
      "redirect-dns": "true",
    },
    calls: {
      ...ipv6Calls,
      ...ownCalls,
      ...dnsCalls,
      out: tcp("application", "10.55.0.2", 80, captured),
      "out of the proxy's user": tcp("proxy", "10.55.0.2", 80, outside),
      // The application sees who called, and Envoy was in between.
      in: tcp("other", "10.55.0.1", 8_080, "application from 10.55.0.2 through Envoy"),
      "in, IPv6": tcp("other", "fd55::1", 8_080, "application from fd55::2 through Envoy"),
      "in to an excluded port": tcp("other", "10.55.0.1", 9_090, "application from 10.55.0.2 directly"),
      "in by an excluded interface": tcp("other", "10.88.0.1", 8_080, "application from 10.88.0.2 directly"),
      "the proxy to its own pod": tcp(
        ...(["proxy", "10.55.0.1", 8_080, "application from 10.55.0.1 through Envoy"] as const),
      ),
      "the proxy to its own pod, IPv6": tcp(
        ...(["proxy", "fd55::1", 8_080, "application from fd55::1 through Envoy"] as const),
      ),
    },
  },
  "REDIRECT of everything, in a pod of IPv6 alone": {
    pod: "ipv6",
    texts: { ...everything, ...ports("ipv6"), "redirect-dns": "true" },
    calls: ipv6Calls,
  },
} satisfies Readonly<Record<string, Scene>>;

export type SceneName = keyof typeof scenes;

const always = { "istio-service-cidr": "*", "dual-stack": "true" } as const;
const redirected: CaptureTexts = { ...always, ...ports("redirect"), "istio-inbound-ports": "*" };
const transparent: CaptureTexts = {
  ...always,
  ...ports("tproxy"),
  "istio-inbound-ports": "*",
  "istio-inbound-interception-mode": "TPROXY",
};

/** One set of options after the other, each of which captures calls to port 80 and of port 8080, by mode. */
export const changes: Readonly<Record<"redirect" | "tproxy", readonly CaptureTexts[]>> = {
  redirect: [
    redirected,
    {
      ...redirected,
      "redirect-dns": "true",
      "drop-invalid": "true",
      "istio-exclude-interfaces": "net1",
      "istio-local-exclude-ports": "9090",
    },
    { ...always, ...ports("redirect"), "istio-inbound-ports": "8080,8081" },
  ],
  tproxy: [
    transparent,
    { ...transparent, "redirect-dns": "true", "istio-service-exclude-cidr": "10.66.0.0/16" },
  ],
};
