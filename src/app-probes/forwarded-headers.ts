/**
 * What of the kubelet's request goes to the application: all of it, but for what is between two neighbours only.
 */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import { formatHostPort } from "../net/host-port.ts";

/** RFC 9110, 7.6.1, and what tells of a body, which a probe has not. */
const betweenNeighbours: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "expect",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Who asks where. */
export interface Forwarding {
  /** Port of the agent, which a Host may name. */
  readonly statusPort: number;
  /** Where the application is asked. */
  readonly target: { readonly host: string; readonly port: number };
}

/** The headers of the application's request. */
export function forwardedHeaders(
  headers: IncomingHttpHeaders,
  { statusPort, target }: Forwarding,
): OutgoingHttpHeaders {
  const named = new Set((headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase()));
  const passed = Object.entries(headers).filter(
    ([name]) => name !== "host" && !betweenNeighbours.has(name) && !named.has(name),
  );
  return { ...Object.fromEntries(passed), host: hostFor(headers.host, statusPort, target) };
}

/** A name or an address, and perhaps a port (RFC 9110, 7.2). */
const plainHost = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d+)?$/i;

/**
 * The same host, at the application's port where it names the agent's. One that is none is not passed on: an application
 * that redirects by it would send the agent wherever the asker likes.
 */
function hostFor(host: string | undefined, statusPort: number, target: Forwarding["target"]): string {
  if (host === undefined || !plainHost.test(host)) return formatHostPort(target);
  const ownPort = `:${statusPort}`;
  return host.endsWith(ownPort) ? `${host.slice(0, -ownPort.length)}:${target.port}` : host;
}
