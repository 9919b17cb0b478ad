/**
 * Whether the workload accepts connections.
 */
import { connect, type Socket } from "node:net";
import { uncaptured } from "./uncaptured.ts";
import type { ProbeResult, ProbeTarget } from "./method.ts";

/** Connect and close. @throws the system error, or the signal's reason */
export async function probeTcp(target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult> {
  const socket = await connectTo(target, signal);
  socket.destroy();
  return { kind: "healthy" };
}

/** A connected socket, which `signal` destroys. @throws the system error, or the signal's reason */
export function connectTo(target: ProbeTarget, signal: AbortSignal): Promise<Socket> {
  return uncaptured(target, (sourceAddress) => connectFrom({ ...target, sourceAddress }, signal));
}

function connectFrom({ host, port, sourceAddress }: ProbeTarget, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      signal,
      ...(sourceAddress === undefined ? {} : { localAddress: sourceAddress }),
    });
    socket.once("connect", () => {
      resolve(socket);
    });
    socket.on("error", reject);
  });
}
