/** TCP ports that nobody listens on, none of them handed out twice by this process. */
import { freePorts as findFreePorts, portBlock } from "../../src/net/free-ports.ts";

let next = portBlock(process.pid);
let last: Promise<readonly number[]> = Promise.resolve([]);

/** One search at a time: two that ran side by side would find the same ports. */
export function freePorts(count: number): Promise<readonly number[]> {
  last = last.then(async () => {
    const ports = await findFreePorts(count, next);
    next = (ports.at(-1) ?? next) + 1;
    return ports;
  });
  return last;
}
