/** By which address and interface a packet to somewhere would leave, as the kernel's routes have it; nothing is sent. */
import { createSocket } from "node:dgram";
import { isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import { isLoopback } from "./loopback.ts";

/** A way out of this network namespace, or into it again. */
export interface Way {
  readonly source: string;
  /** `lo` for an address of this namespace; undefined where the address has no interface. */
  readonly interface: string | undefined;
}

/** Undefined without a route. */
export async function wayTo(destination: string, port: number): Promise<Way | undefined> {
  const source = await sourceFor(destination, port);
  if (source === undefined) return undefined;
  return { source, interface: isOwn(destination) ? "lo" : interfaceOf(source) };
}

/** The interface that has an address. */
export function interfaceOf(address: string): string | undefined {
  const found = Object.entries(networkInterfaces()).find(([, addresses]) =>
    addresses?.some((candidate) => candidate.address.replace(/%.*$/, "") === address),
  );
  return found?.[0];
}

function isOwn(address: string): boolean {
  return isLoopback(address) || address.startsWith("127.") || interfaceOf(address) !== undefined;
}

function sourceFor(destination: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(destination) ? "udp6" : "udp4");
    const end = (source: string | undefined): void => {
      socket.close();
      resolve(source);
    };
    socket.once("error", () => {
      end(undefined);
    });
    socket.connect(port, destination, () => {
      end(socket.address().address);
    });
  });
}
