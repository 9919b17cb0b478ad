/**
 * `host:port` as people and templates write it, in one form.
 *
 * An IPv6 address belongs in brackets. Where a variable was put in front of a port by a template, as Kubernetes does
 * with `$(HOST_IP):8126`, it has none: what stands before the last colon is then an address of its own.
 */
import { isIP, isIPv6 } from "./ip-version.ts";

/** A host, without brackets, and its port. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Stands for the address of the node in Istio's addresses. */
const hostIp = "$(HOST_IP)";

/** Undefined when `text` is not a host and a port from 1 to 65535. */
export function parseHostPort(text: string): HostPort | undefined {
  const [, left = "", digits = ""] = /^(.+):(\d{1,5})$/s.exec(text) ?? [];
  const port = Number(digits);
  const host = hostOf(left);
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port };
}

/** With brackets around an IPv6 address. */
export function formatHostPort({ host, port }: HostPort): string {
  return `${bracketed(host)}:${port}`;
}

/** As a host stands in a URL or before a port. */
export function bracketed(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}

/** A host as a URL writes it, without brackets. */
export function unbracketed(host: string): string {
  return host.replace(/^\[(.*)\]$/s, "$1");
}

function hostOf(text: string): string | undefined {
  const [, inside] = /^\[(.*)\]$/s.exec(text) ?? [];
  if (inside !== undefined) return isIP(inside) !== 0 || inside === hostIp ? inside : undefined;
  return isIPv6(text) || /^[^[\]:/\s]+$/.test(text) ? text : undefined;
}
