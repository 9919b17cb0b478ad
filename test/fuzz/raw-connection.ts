/** Bytes to a listening socket, on a connection of their own, and whatever comes back. */
import { connect, type NetConnectOpts, type Socket } from "node:net";

/** How long the other side may keep a connection on which nothing more will be sent, in milliseconds. */
const lingerMs = 15_000;

/** @throws Error when the other side neither answers nor closes */
export function exchange(to: NetConnectOpts, bytes: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = send(connect(to), bytes, resolve);
    socket.setTimeout(lingerMs, () => {
      socket.destroy();
      reject(new Error(`the connection is still open ${lingerMs} ms after its last byte`));
    });
  });
}

/** The same with a peer that may go on after the end of what is sent: it is left when it says no more. */
export function exchangeAndLeave(socket: Socket, bytes: Buffer, quietMs: number): Promise<Buffer> {
  return new Promise((resolve) => {
    send(socket, bytes, resolve).setTimeout(quietMs, () => {
      socket.destroy();
    });
  });
}

function send(socket: Socket, bytes: Buffer, onClose: (answer: Buffer) => void): Socket {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  // A reset is an answer too: `close` follows it.
  socket.on("error", () => undefined);
  socket.on("close", () => {
    onClose(Buffer.concat(chunks));
  });
  socket.end(bytes);
  return socket;
}
