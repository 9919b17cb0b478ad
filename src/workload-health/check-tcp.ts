/**
 * Whether the workload accepts connections.
 */
import { connect, type Socket } from "node:net";
import type { CheckResult } from "./health.ts";
import type { HealthTarget } from "./options.ts";
import { uncaptured } from "./uncaptured.ts";

/** Connect and close. @throws the system error, or the signal's reason */
export async function checkTcp(target: HealthTarget, signal: AbortSignal): Promise<CheckResult> {
  const socket = await connectTo(target, signal);
  socket.destroy();
  return { kind: "healthy" };
}

/** A connected socket, which `signal` destroys. @throws the system error, or the signal's reason */
export function connectTo(target: HealthTarget, signal: AbortSignal): Promise<Socket> {
  return uncaptured(target, (sourceAddress) => connectFrom({ ...target, sourceAddress }, signal));
}

function connectFrom({ host, port, sourceAddress }: HealthTarget, signal: AbortSignal): Promise<Socket> {
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
