/**
 * Queries over TCP (RFC 7766): several on a connection, answered as they are ready.
 */
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { handled } from "../../lifecycle/guard.ts";
import { Timer } from "../../lifecycle/timer.ts";
import type { Answerer } from "../answer/answerer.ts";
import { framed, FrameReader } from "../wire/frames.ts";
import { part, type Unexpected, type Unsent } from "./udp-server.ts";

/** Connections at one time. One more takes the place of none: it is closed. */
const maxConnections = 512;

/** How long a connection may be quiet, in milliseconds. */
const quietMs = 10_000;

/** Queries of one connection that may be open before no more are read, and answers in bytes that wait for a slow reader. */
const maxOpen = 64;
const maxUnread = 1_048_576;

/** A socket that is bound when `listen` resolves. */
export class TcpServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #answerer: Pick<Answerer, "answer">;
  readonly #unsent: Unsent;
  readonly #unexpected: Unexpected;
  readonly #connections = new Set<Socket>();

  private constructor(
    server: Server,
    answerer: Pick<Answerer, "answer">,
    unsent: Unsent,
    unexpected: Unexpected,
  ) {
    this.#server = server;
    this.#answerer = answerer;
    this.#unsent = unsent;
    this.#unexpected = unexpected;
    server.maxConnections = maxConnections;
    server.on("connection", (socket) => {
      this.#serve(socket);
    });
    server.on("error", unsent);
  }

  /** @throws the system error when the address cannot be bound */
  static async listen(
    { host, port }: { readonly host: string; readonly port: number },
    answerer: Pick<Answerer, "answer">,
    unsent: Unsent,
    unexpected: Unexpected,
  ): Promise<TcpServer> {
    const server = createServer({ noDelay: true, allowHalfOpen: true });
    server.listen({ host, port, ipv6Only: true });
    await once(server, "listening");
    return new TcpServer(server, answerer, unsent, unexpected);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const connection of this.#connections) connection.destroy();
    await closed;
  }

  #serve(socket: Socket): void {
    this.#connections.add(socket);
    const frames = new FrameReader();
    const client = { address: socket.remoteAddress ?? "", port: socket.remotePort ?? 0, overTcp: true };
    let open = 0;
    /** The client sends nothing more; it may still read. */
    let hasEnded = false;
    const quiet = new Timer(quietMs, () => {
      if (open === 0) socket.destroy();
      else quiet.restart();
    });
    const isFull = (): boolean => open >= maxOpen || socket.writableLength > maxUnread;
    const send = (answer: Buffer): void => {
      if (!socket.destroyed && socket.writable) socket.write(framed(answer));
    };
    /** What arrived, as far as there is room for answers; then no more is read until there is. */
    const flow = (): void => {
      while (!isFull() && !socket.destroyed) {
        const message = frames.next();
        if (message === undefined) break;
        const answer = this.#answerer.answer(message, client);
        if (answer instanceof Promise) {
          open += 1;
          answer.then(send, this.#unsent).finally(() => {
            open -= 1;
            goOn();
          });
        } else if (answer !== undefined) send(answer);
      }
      if (isFull()) socket.pause();
      else if (hasEnded) {
        if (open === 0) socket.end();
      } else if (socket.isPaused()) socket.resume();
    };
    const contain = (error: unknown): void => {
      socket.destroy();
      this.#unexpected(error);
    };
    // Not around the server: what is accepted does not go on with what it was made in.
    const goOn = (): void => {
      handled({ part, contain }, flow);
    };
    socket.on("data", (bytes) => {
      quiet.restart();
      frames.add(bytes);
      goOn();
    });
    socket.on("end", () => {
      hasEnded = true;
      goOn();
    });
    socket.on("drain", goOn);
    socket.on("error", () => {
      // The close that follows says it all.
    });
    socket.on("close", () => {
      quiet.cancel();
      this.#connections.delete(socket);
    });
  }
}
