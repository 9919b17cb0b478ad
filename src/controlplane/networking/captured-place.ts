/**
 * By which listeners a port of a service is called where the application is captured.
 */
import { isAddress } from "../config/forms.ts";
import type { Endpoint, Service, ServicePort } from "../model/model.ts";
import { isHttp } from "./names.ts";

/** One of three ways. */
export type CapturedPlace =
  /** The port's listener on every address, which routes by host. */
  | { readonly kind: "routed"; readonly takesOthers: boolean }
  /** Listeners of its own at these addresses, which find out whether it is HTTP. */
  | { readonly kind: "detected"; readonly addresses: readonly string[] }
  /** Connections: at these addresses, and by the port's listener on every address. */
  | {
      readonly kind: "connections";
      readonly addresses: readonly string[];
      /** Undefined where the addresses are all there is. */
      readonly shared:
        | {
            readonly kind: "tls" | "tcp";
            /** Empty for whatever address was called. */
            readonly ranges: readonly string[];
            /** By the server name that the client asks for alone. */
            readonly byServerName: boolean;
          }
        | undefined;
    };

/** What decides of a service. */
export interface CalledService extends Pick<Service, "addresses" | "resolution"> {
  readonly endpoints: readonly Pick<Endpoint, "address">[];
}

/** HTTP is known by its host, TLS by its server name; for everything else there is only the address that was called. */
export function capturedPlace(service: CalledService, port: Pick<ServicePort, "protocol">): CapturedPlace {
  if (isHttp(port)) return { kind: "routed", takesOthers: false };
  const own = service.addresses.filter((address) => isAddress(address));
  if (port.protocol === "auto")
    return own.length === 0 ? { kind: "routed", takesOthers: true } : { kind: "detected", addresses: own };
  const ranges = service.addresses.filter((address) => !isAddress(address));
  const addresses = own.length > 0 ? own : headlessAddresses(service, port);
  if (addresses.length > 0 && ranges.length === 0)
    return { kind: "connections", addresses, shared: undefined };
  const kind = port.protocol === "tls" ? "tls" : "tcp";
  const byServerName = kind === "tls" && ranges.length === 0;
  return { kind: "connections", addresses, shared: { kind, ranges, byServerName } };
}

/** A service without an address whose workloads are known by the caller itself is called at theirs. */
function headlessAddresses(
  { resolution, endpoints }: CalledService,
  { protocol }: Pick<ServicePort, "protocol">,
): readonly string[] {
  if (resolution !== "NONE" || protocol === "tls") return [];
  return [...new Set(endpoints.map(({ address }) => address).filter((address) => isAddress(address)))];
}
