/** Readiness probes on kept connections, one after the other on each, as fast as they are answered. */
import { connect, type Socket } from "node:net";
import { sleep } from "../../../src/lifecycle/sleep.ts";

export interface Probes {
  readonly perSecond: number;
  /** In milliseconds, from the request to its answer. */
  readonly p50: number;
  readonly p99: number;
  readonly slowest: number;
}

const request = "GET /healthz/ready HTTP/1.1\r\nhost: localhost\r\naccept: text/plain\r\n\r\n";

/** @throws Error for an answer that is not 200 */
export async function probe(port: number, connections: number, seconds: number): Promise<Probes> {
  const latencies: number[] = [];
  const sockets = new Set<Socket>();
  let failure: Error | undefined;
  let isOver = false;
  const open = (): void => {
    let sentAt = 0;
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    const send = (): void => {
      sentAt = performance.now();
      socket.write(request);
    };
    sockets.add(socket);
    socket.once("connect", send);
    socket.on("error", (error) => {
      failure ??= error;
    });
    // One that waited may make room for another client; the next probe comes on a new one.
    socket.once("close", () => {
      sockets.delete(socket);
      if (!isOver) open();
    });
    socket.on("data", (data: Buffer) => {
      const head = data.toString("latin1");
      if (!head.startsWith("HTTP/1.1 200 ")) failure ??= new Error(head);
      latencies.push(performance.now() - sentAt);
      send();
    });
  };
  for (let index = 0; index < connections; index += 1) open();
  const started = performance.now();
  await sleep(seconds * 1_000);
  const elapsed = (performance.now() - started) / 1_000;
  isOver = true;
  for (const socket of sockets) socket.destroy();
  if (failure !== undefined) throw failure;
  const sorted = latencies.toSorted((one, other) => one - other);
  const at = (share: number): number => sorted[Math.floor(share * sorted.length)] ?? Number.NaN;
  return {
    perSecond: sorted.length / elapsed,
    p50: at(0.5),
    p99: at(0.99),
    slowest: sorted.at(-1) ?? Number.NaN,
  };
}
