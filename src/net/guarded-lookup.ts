/**
 * Where a name leads, for a connection that must not lead everywhere: addresses are looked at once they are resolved, so that
 * what is looked at is what is connected to.
 */
import { lookup as resolve } from "node:dns";
import { isIP, type LookupFunction } from "node:net";

/** Why an address is not asked, as the rest of a sentence on it; undefined where it may be. */
export type RefuseAddress = (address: string) => string | undefined;

/** A host that leads only to addresses that are not asked. */
export class RefusedAddressError extends Error {
  override readonly name = "RefusedAddressError";

  constructor(host: string, address: string, why: string) {
    super(host === address ? `${address} ${why}` : `${host} has the address ${address}, which ${why}`);
  }
}

/** @throws RefusedAddressError where the host is an address that is not asked: nobody looks it up */
export function guardHost(host: string, refuses: RefuseAddress): void {
  const why = isIP(host) === 0 ? undefined : refuses(host);
  if (why !== undefined) throw new RefusedAddressError(host, host, why);
}

/** The operating system's answer (getaddrinfo) without the addresses that are not asked; an error where none is left. */
export function guardedLookup(refuses: RefuseAddress): LookupFunction {
  return (host, options, done) => {
    resolve(host, { ...options, all: true }, (error, found) => {
      if (error !== null) {
        done(error, []);
        return;
      }
      const left = found.filter(({ address }) => refuses(address) === undefined);
      const [first] = left;
      if (first === undefined) {
        const [{ address } = { address: "" }] = found;
        done(new RefusedAddressError(host, address, refuses(address) ?? "is none"), []);
      } else if (options.all === true) done(null, left);
      else done(null, first.address, first.family);
    });
  };
}
