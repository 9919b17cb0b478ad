/**
 * Which addresses the proxy listens on, as a function of values.
 */
import { isIPv4, isIPv6 } from "node:net";
import type { HostPort } from "../net/host-port.ts";
import { isLoopback } from "../net/loopback.ts";
import type { ListenPlace } from "./options.ts";
import type { Upstream } from "./upstream/resolv-conf.ts";

/** An address to listen on. */
export interface Place extends HostPort {
  /** The machine may lack its family. */
  readonly isOptional: boolean;
}

/** Loopback has the families of the servers that applications ask: to those addresses their queries are sent. */
export function placesOf(listen: ListenPlace, servers: readonly Upstream[]): readonly Place[] {
  const { port } = listen;
  switch (listen.kind) {
    case "address":
      return [{ host: listen.host, port, isOptional: false }];
    case "every address":
      return [
        { host: "0.0.0.0", port, isOptional: false },
        { host: "::", port, isOptional: true },
      ];
    case "localhost": {
      const hasV6 = servers.some(({ host }) => isIPv6(host));
      const hasV4 = servers.some(({ host }) => isIPv4(host)) || !hasV6;
      return [
        ...(hasV4 ? [{ host: "127.0.0.1", port, isOptional: false }] : []),
        ...(hasV6 ? [{ host: "::1", port, isOptional: hasV4 }] : []),
      ];
    }
  }
}

/** True when asking this server would be asking ourselves. */
export function isOwnPlace({ host, port }: Upstream, places: readonly HostPort[]): boolean {
  return places.some(
    (place) =>
      place.port === port &&
      (place.host === host || (isAny(place.host) && (isLoopback(host) || host.startsWith("127.")))),
  );
}

function isAny(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}
