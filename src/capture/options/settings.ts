/**
 * Every setting of traffic capture: its flag and variable (istio-iptables'), its default and what it means.
 */

/** One setting. */
export interface CaptureSetting {
  /** Without the dashes; undefined where there is a variable only. */
  readonly flag: string | undefined;
  readonly alias?: string;
  /** The first that is set counts; none for the one that Istio binds to no variable. */
  readonly variables: readonly string[];
  readonly default: string;
  readonly boolean?: true;
  readonly describe: string;
}

/** A setting with its flag and the variable of that name. */
export function setting(
  flag: string,
  fallback: string,
  describe: string,
  { alias, also = [] }: { readonly alias?: string; readonly also?: readonly string[] } = {},
): CaptureSetting {
  const variables = [flag.toUpperCase().replaceAll("-", "_"), ...also];
  return { flag, variables, default: fallback, describe, ...(alias === undefined ? {} : { alias }) };
}

/** One that is on or off. */
export function switched(flag: string, describe: string, ...also: readonly string[]): CaptureSetting {
  return { ...setting(flag, "false", describe, { also }), boolean: true };
}

/** One that is no flag. */
export function variable(name: string, fallback: string, describe: string): CaptureSetting {
  return { flag: undefined, variables: [name], default: fallback, describe };
}

/** By the names that the code has for them. */
export const captureSettings = {
  outboundPort: {
    ...setting("envoy-port", "15001", "Envoy's port for outbound connections (no variable, as in Istio).", {
      alias: "p",
    }),
    variables: [],
  },
  inboundPort: setting("inbound-capture-port", "15006", "Envoy's port for inbound connections.", {
    alias: "z",
  }),
  tunnelPort: setting("inbound-tunnel-port", "15008", "Port of HBONE, which reaches Envoy by itself.", {
    alias: "e",
  }),
  proxyUid: setting(
    "proxy-uid",
    "",
    "Users whose traffic is not captured: IDs (default that of ENVOY_USER, istio-proxy, else 1337).",
    { alias: "u" },
  ),
  proxyGid: setting("proxy-gid", "", "Groups whose traffic is not captured: IDs (default as --proxy-uid).", {
    alias: "g",
  }),
  inboundMode: setting(
    "istio-inbound-interception-mode",
    "REDIRECT",
    "How inbound connections reach Envoy: REDIRECT, or TPROXY, which keeps the caller's address.",
    { alias: "m" },
  ),
  inboundPorts: setting("istio-inbound-ports", "", "Inbound ports to capture: a list, or * for all.", {
    alias: "b",
  }),
  inboundPortsExcluded: setting(
    "istio-local-exclude-ports",
    "",
    "Inbound ports not to capture, where all others are.",
    { alias: "d" },
  ),
  interfacesExcluded: setting("istio-exclude-interfaces", "", "Interfaces whose traffic is not captured.", {
    alias: "c",
  }),
  outboundCidrs: setting("istio-service-cidr", "", "Outbound addresses to capture: CIDRs, or * for all.", {
    alias: "i",
  }),
  outboundCidrsExcluded: setting("istio-service-exclude-cidr", "", "Outbound CIDRs not to capture.", {
    alias: "x",
  }),
  outboundPorts: setting("istio-outbound-ports", "", "Outbound ports to capture whatever the address.", {
    alias: "q",
  }),
  outboundPortsExcluded: setting(
    "istio-local-outbound-ports-exclude",
    "",
    "Outbound ports not to capture, of TCP and UDP.",
    { alias: "o" },
  ),
  virtualInterfaces: setting(
    "kube-virt-interfaces",
    "",
    "Interfaces of virtual machines in this pod: what comes from them counts as outbound.",
    { alias: "k" },
  ),
  tproxyMark: setting("istio-inbound-tproxy-mark", "1337", "Mark of packets that TPROXY has taken.", {
    alias: "t",
  }),
  tproxyRouteTable: setting(
    "istio-inbound-tproxy-route-table",
    "133",
    "Routing table that brings marked packets to Envoy.",
    { alias: "r" },
  ),
  proxyUser: variable(
    "ENVOY_USER",
    "istio-proxy",
    "Name of Envoy's user, where --proxy-uid does not say it.",
  ),
  outboundGroups: variable(
    "ISTIO_OUTBOUND_OWNER_GROUPS",
    "*",
    "Groups whose processes' connections are captured.",
  ),
  outboundGroupsExcluded: variable(
    "ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE",
    "",
    "Groups whose processes' connections are not captured, where all others' are.",
  ),
  loopbackCidr: variable(
    "ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR",
    "127.0.0.1/32",
    "IPv4 addresses that count as this pod: inside 127.0.0.0/8.",
  ),
  redirectDns: switched(
    "redirect-dns",
    "Bring DNS queries to the agent's DNS server, port 15053.",
    "ISTIO_META_DNS_CAPTURE",
  ),
  captureAllDns: switched(
    "capture-all-dns",
    "All queries to port 53, not only those to the servers of /etc/resolv.conf.",
  ),
  dropInvalid: switched(
    "drop-invalid",
    "Drop packets that belong to no connection the kernel knows.",
    "INVALID_DROP",
  ),
  dualStack: switched(
    "dual-stack",
    "Rules for IPv6 beside those for IPv4, where the pod has such an address.",
    "ISTIO_DUAL_STACK",
  ),
} as const satisfies Readonly<Record<string, CaptureSetting>>;

/** Name of a setting. */
export type SettingName = keyof typeof captureSettings;
