/** Clients that take their time with a status port: those who say nothing, drip their request, or never read its answer. */
import { connect, type Socket } from "node:net";

type Kind = (socket: Socket) => void;

const kinds: readonly Kind[] = [
  () => undefined,
  (socket) => {
    const bytes = "GET /healthz/ready HTTP/1.1\r\nhost: localhost\r\nx-drip: ";
    let sent = 0;
    const drip = setInterval(() => {
      socket.write(bytes[sent] ?? "a");
      sent += 1;
    }, 200);
    socket.once("close", () => {
      clearInterval(drip);
    });
  },
  (socket) => {
    socket.write("GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n");
  },
  (socket) => {
    socket.write("POST /healthz/ready HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000\r\n\r\nhalf");
  },
];

/** So many of them, of all kinds alike; one whose connection is closed comes back. */
export class SlowClients implements Disposable {
  readonly #port: number;
  readonly #sockets = new Set<Socket>();
  #isOver = false;
  /** Connections that were made so far. */
  connected = 0;

  constructor(port: number, count: number) {
    this.#port = port;
    for (let index = 0; index < count; index += 1) this.#open(index);
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  #open(index: number): void {
    const socket = connect({ host: "127.0.0.1", port: this.#port });
    socket.pause();
    socket.on("error", () => undefined);
    socket.once("connect", () => {
      this.connected += 1;
      this.#sockets.add(socket);
      kinds[index % kinds.length]?.(socket);
    });
    socket.once("close", () => {
      this.#sockets.delete(socket);
      if (!this.#isOver)
        setTimeout(() => {
          if (!this.#isOver) this.#open(index);
        }, 500).unref();
    });
  }
}
