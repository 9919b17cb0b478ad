/**
 * The addresses that only processes of this network namespace have.
 *
 * The rest of 127.0.0.0/8 is none of them: Envoy's captured inbound traffic comes from 127.0.0.6 (and ::6), whoever
 * sent it.
 */

const addresses: ReadonlySet<string> = new Set(["127.0.0.1", "::1", "::ffff:127.0.0.1"]);

/** True for an address, as the kernel writes it, by which nobody but this machine's own processes comes. */
export function isLoopback(address: string | undefined): boolean {
  return address !== undefined && addresses.has(address);
}
