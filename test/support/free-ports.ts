/** TCP ports that nobody listens on, none of them handed out twice, by this process or another. */
import { createServer } from "node:net";
import { freePorts as findFreePorts, portBlock } from "../../src/net/free-ports.ts";

/** Ports of a block; as `portBlock` has them. */
const blockSize = 100;
const blocks = 220;

let next = 0;
let end = 0;
let tried = 0;
let last: Promise<readonly number[]> = Promise.resolve([]);

/** One search at a time: two that ran side by side would find the same ports. */
export function freePorts(count: number): Promise<readonly number[]> {
  last = last.then(async () => {
    const ports: number[] = [];
    while (ports.length < count) {
      if (next >= end) await claimBlock();
      const [port = end] = await findFreePorts(1, next);
      const isOwn = port >= next && port < end;
      if (isOwn) ports.push(port);
      next = isOwn ? port + 1 : end;
    }
    return ports;
  });
  return last;
}

/**
 * Take a block of ports that no other test of this machine has: a port is let go of, and bound again, more than once in
 * a test. What holds it is an abstract socket, which is gone with this process and belongs to the network namespace, as
 * ports do.
 */
async function claimBlock(): Promise<void> {
  for (; tried < blocks; tried += 1) {
    const first = portBlock(process.pid + tried);
    if (!(await isMine(first))) continue;
    tried += 1;
    [next, end] = [first, first + blockSize];
    return;
  }
  throw new Error("every block of ports is another test's");
}

function isMine(first: number): Promise<boolean> {
  return new Promise((resolve) => {
    const holder = createServer();
    holder.once("error", () => {
      resolve(false);
    });
    holder.listen(`\0outrider-test-ports-${first}`, () => {
      holder.unref();
      resolve(true);
    });
  });
}
