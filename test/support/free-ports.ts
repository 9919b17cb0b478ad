/** TCP ports that nobody listens on, none of them handed out twice by this process. */
import { freePorts as findFreePorts, portBlock } from "../../src/net/free-ports.ts";

let next = portBlock(process.pid);

export async function freePorts(count: number): Promise<readonly number[]> {
  const ports = await findFreePorts(count, next);
  next = (ports.at(-1) ?? next) + 1;
  return ports;
}
