/**
 * Whether a browser may have been made to send a request by a page of somebody else.
 *
 * A name that a foreign page comes by can be pointed at this machine (DNS rebinding); an address cannot. So what asks
 * for a local server by an address or as localhost is taken, and what names the page that it comes from must name
 * this server.
 */
import type { IncomingHttpHeaders } from "node:http";
import { isIP } from "node:net";

/**
 * Why a request is refused, as a line for whoever sent it; undefined when it is not.
 *
 * @param takesAnyHost what it asks for may be read by a page that names this machine
 */
export function foreignOrigin(headers: IncomingHttpHeaders, takesAnyHost = false): string | undefined {
  const { host, origin } = headers;
  // Only HTTP/1.0, which no browser speaks, goes without.
  if (!takesAnyHost && host !== undefined && !isLocalHost(host))
    return "Host must be an address or localhost";
  if (origin !== undefined && origin.toLowerCase() !== `http://${(host ?? "").toLowerCase()}`)
    return "Origin must be this server or absent";
  return undefined;
}

/** `localhost`, an IPv4 address or an IPv6 address in brackets, with or without a port (RFC 9110, 7.2). */
function isLocalHost(host: string): boolean {
  const [, bracketed, plain = ""] = /^(?:\[([^[\]]+)\]|([^:[\]]+))(?::\d{1,5})?$/.exec(host) ?? [];
  if (bracketed !== undefined) return isIP(bracketed) === 6;
  return plain.toLowerCase() === "localhost" || isIP(plain) === 4;
}
