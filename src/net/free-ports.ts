/**
 * Free TCP ports for a mesh on one machine.
 *
 * They are taken from below the kernel's range of ephemeral ports (ip_local_port_range): a port from inside it may
 * become the source of somebody's outgoing connection before its owner has bound it.
 */
import { createServer } from "node:net";

const lowest = 10_000;
const blockSize = 100;
const blocks = 220;

/** Istio's own ports, which a sidecar beside this process may look for. */
const istio = { first: 15_000, last: 15_099 } as const;

/** First port of the block that belongs to `pid`, so that two processes rarely look at the same ports. */
export function portBlock(pid: number): number {
  return lowest + (pid % blocks) * blockSize;
}

/**
 * The first `count` ports from `start` on that nobody listens on; after the last comes the lowest.
 *
 * @throws Error when there are not enough
 */
export async function freePorts(count: number, start: number): Promise<readonly number[]> {
  const found: number[] = [];
  const all = blocks * blockSize;
  for (let looked = 0; found.length < count; looked += 1) {
    if (looked >= all) throw new Error(`there are no ${count} free ports from ${start} on`);
    const port = lowest + ((start - lowest + looked) % all);
    const isIstios = port >= istio.first && port <= istio.last;
    if (!isIstios && (await isFree(port))) found.push(port);
  }
  return found;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => {
      resolve(false);
    });
    server.listen(port, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
