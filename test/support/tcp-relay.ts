/** A TCP connection's middle, where a test can cut it. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

interface Cut {
  bytes: number;
  readonly onCut: () => void;
}

export class TcpRelay implements AsyncDisposable {
  readonly #to: () => number;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;
  #cut: Cut | undefined;

  private constructor(to: () => number) {
    this.#to = to;
  }

  /** Leads to a port of loopback. @param to the port, or what is asked for it at each connection */
  static async listen(to: number | (() => number)): Promise<TcpRelay> {
    const relay = new TcpRelay(typeof to === "number" ? () => to : to);
    await relay.accept();
    return relay;
  }

  get port(): number {
    return this.#port;
  }

  /** Take connections, on the same port as before. */
  async accept(): Promise<void> {
    const server = createServer((client) => {
      this.#relay(client);
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, "127.0.0.1", resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** End every connection and refuse others. */
  async refuse(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    const closed = new Promise((resolve) => {
      if (server === undefined) resolve(undefined);
      else server.close(resolve);
    });
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** When so many more bytes have come from the server, call `onCut`; what comes after them is lost. */
  cutAfter(bytes: number, onCut: () => void): void {
    this.#cut = { bytes, onCut };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.refuse();
  }

  #relay(client: Socket): void {
    const upstream = connect(this.#to(), "127.0.0.1");
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    client.pipe(upstream);
    upstream.on("data", (data) => {
      this.#pass(data, upstream, client);
    });
    upstream.on("end", () => client.end());
  }

  #pass(data: Buffer, upstream: Socket, client: Socket): void {
    const cut = this.#cut;
    if (cut !== undefined) {
      if (cut.bytes <= 0) return;
      cut.bytes -= data.length;
      if (cut.bytes <= 0) {
        client.write(data.subarray(0, data.length + cut.bytes));
        cut.onCut();
        return;
      }
    }
    if (client.write(data)) return;
    upstream.pause();
    client.once("drain", () => upstream.resume());
  }

  /** Let everything through again. */
  mend(): void {
    this.#cut = undefined;
  }
}
