/**
 * What is captured and what is not: the options of `outrider iptables`, every value checked.
 */
import type { Cidr } from "./address.ts";

/** Every one, or those of a list. */
export type All<T> = "*" | readonly T[];

/** How inbound connections reach Envoy: with a new destination, or with addresses and ports as they were. */
export type InterceptionMode = "REDIRECT" | "TPROXY";

/** Of a plan. Ports are TCP's unless said otherwise. */
export interface CaptureOptions {
  /** Envoy's port for outbound connections. */
  readonly outboundPort: number;
  /** Envoy's port for inbound connections. */
  readonly inboundPort: number;
  /** Of HBONE, which reaches Envoy by itself. */
  readonly tunnelPort: number;
  /** Of Envoy and the agent: what they send is not captured. */
  readonly proxyUids: readonly number[];
  readonly proxyGids: readonly number[];
  readonly inboundMode: InterceptionMode;
  readonly inboundPorts: All<number>;
  /** Of effect where all inbound ports are captured. */
  readonly inboundPortsExcluded: readonly number[];
  readonly interfacesExcluded: readonly string[];
  /** Their traffic comes from virtual machines or pods inside this one, and counts as outbound. */
  readonly virtualInterfaces: readonly string[];
  readonly outboundCidrs: All<Cidr>;
  readonly outboundCidrsExcluded: readonly Cidr[];
  /** Captured whatever the address. */
  readonly outboundPorts: readonly number[];
  /** Of TCP and UDP. */
  readonly outboundPortsExcluded: readonly number[];
  /** Groups whose processes' connections are captured. */
  readonly outboundGroups: All<number>;
  /** Of effect where all groups are captured. */
  readonly outboundGroupsExcluded: readonly number[];
  /** What counts as this machine in IPv4. */
  readonly loopbackCidr: Cidr;
  readonly tproxyMark: number;
  readonly tproxyRouteTable: number;
  /** Undefined leaves DNS alone. */
  readonly dns: DnsCapture | undefined;
  readonly dropInvalid: boolean;
  /** IPv6 has rules as IPv4 has. */
  readonly ipv6: boolean;
}

/** Whose queries go to the agent's DNS server. */
export interface DnsCapture {
  /** Those to these servers, or all to port 53. */
  readonly servers: All<Cidr>;
}
