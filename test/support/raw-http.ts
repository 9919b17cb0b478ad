/** Bytes to a server and what comes back, for what no client library would send. */
import { connect, type NetConnectOpts, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";

/** Send `bytes` and read until the server hangs up, or `idleMs` pass without a word. */
export async function sendRaw(target: NetConnectOpts, bytes: string, idleMs = 2_000): Promise<string> {
  const socket = connect(target);
  let received = "";
  const closed = new Promise<void>((resolve) => {
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
    });
    socket.on("error", () => undefined);
    socket.once("close", () => {
      resolve();
    });
    socket.setTimeout(idleMs, () => {
      socket.destroy();
    });
  });
  socket.write(Buffer.from(bytes, "latin1"));
  await closed;
  return received;
}

/** A request without a body that asks the server to hang up after it. */
export function bareRequest(line: string, headers: Readonly<Record<string, string>> = {}): string {
  const all = { host: "localhost", connection: "close", ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${line} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

/** Status of the first answer; undefined for none. */
export function statusOf(answer: string): number | undefined {
  const [, status] = /^HTTP\/1\.1 (\d{3})/.exec(answer) ?? [];
  return status === undefined ? undefined : Number(status);
}

/** An open connection that has sent `bytes` and reads nothing. */
export async function holdOpen(target: NetConnectOpts, bytes: string): Promise<Socket> {
  const socket = connect(target);
  socket.on("error", () => undefined);
  await new Promise<void>((resolve) => {
    socket.once("connect", resolve);
    socket.once("close", () => {
      resolve();
    });
  });
  socket.pause().unref();
  socket.write(bytes);
  await nextTurn();
  return socket;
}

/** Send `bytes` and say that nothing more comes, as `nc -N` does, then read until the server hangs up. */
export async function sendAndHalfClose(target: NetConnectOpts, bytes: string): Promise<string> {
  const socket = connect({ ...target, allowHalfOpen: true });
  let received = "";
  socket.on("data", (chunk) => {
    received += chunk.toString("latin1");
  });
  socket.end(Buffer.from(bytes, "latin1"));
  await new Promise<void>((resolve, reject) => {
    socket.on("error", reject);
    socket.once("close", () => {
      resolve();
    });
  });
  return received;
}
