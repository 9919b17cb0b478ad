/**
 * The version of an IP address, as `node:net` says it, without what that takes for text that has no colon.
 *
 * Its expression for IPv6 is compiled when it is first tried, for 5 ms of processor time: too much for a start that
 * only looks at names and at addresses of IPv4.
 */
import { isIPv4, isIPv6 as isIPv6Text } from "node:net";

/** 4 or 6; 0 for what is no address. */
export function isIP(text: string): 0 | 4 | 6 {
  if (isIPv6(text)) return 6;
  return isIPv4(text) ? 4 : 0;
}

/** True for an address of IPv6, its zone included. */
export function isIPv6(text: string): boolean {
  return text.includes(":") && isIPv6Text(text);
}
