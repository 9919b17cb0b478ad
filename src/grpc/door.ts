/**
 * What a gRPC server takes in of those who have proven nothing yet: so many connections, for so long.
 *
 * A connection is admitted once a handler reads from one of its calls, which comes after the caller's credential was
 * checked. Until then it may have to go for another, and goes anyway after a while.
 */
import { createServer, type Server, type Socket } from "node:net";
import { errorMessage } from "../lifecycle/error-message.ts";
import { handled } from "../lifecycle/guard.ts";
import { Timer } from "../lifecycle/timer.ts";
import { type ConnectionLimits, ConnectionTable } from "../net/connection-table.ts";
import { isOneOfTheLast, maxDescriptors } from "../net/descriptors.ts";

/** How long a connection may take until it is admitted, TLS included, in milliseconds. */
const admittedWithinMs = 30_000;

/** Where it is, and what becomes of a connection. */
export interface DoorOptions {
  readonly host: string;
  readonly port: number;
  /** As logs and errors call it. */
  readonly part: string;
  readonly limits?: ConnectionLimits | undefined;
  /** Told of what nobody expected, which cost one connection. */
  readonly onFault?: ((reason: string) => void) | undefined;
  /** Serves a connection. */
  readonly take: (socket: Socket) => void;
}

interface Caller {
  readonly socket: Socket;
  readonly patience: Timer;
}

/** Listens until disposed; then no connection is left. */
export class Door implements AsyncDisposable {
  readonly #server: Server;
  readonly #table: ConnectionTable<Socket>;
  readonly #callers = new Map<string, Caller>();
  readonly #descriptors = maxDescriptors();
  readonly #options: DoorOptions;
  #port = 0;

  private constructor(options: DoorOptions) {
    this.#options = options;
    this.#table = new ConnectionTable(options.limits ?? doorLimits(this.#descriptors));
    this.#server = createServer((socket) => {
      this.#open(socket);
    });
  }

  /** @throws the system error of a failed bind */
  static async listen(options: DoorOptions): Promise<Door> {
    const door = new Door(options);
    const { host, port } = options;
    await new Promise<void>((resolve, reject) => {
      door.#server.once("error", reject);
      door.#server.listen({ host, port }, () => {
        door.#server.off("error", reject);
        // One that cannot accept for a while is none that has ended.
        door.#server.on("error", (error) => options.onFault?.(errorMessage(error)));
        resolve();
      });
    });
    const address = door.#server.address();
    if (typeof address === "object" && address !== null) door.#port = address.port;
    return door;
  }

  /** The port that was bound, also once it is closed. */
  get port(): number {
    return this.#port;
  }

  /** The connection of `peer` (`ip:port`) may stay. */
  admit(peer: string): void {
    const caller = this.#callers.get(peer);
    if (caller === undefined) return;
    caller.patience.cancel();
    this.#table.work(caller.socket);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
    for (const { socket } of this.#callers.values()) socket.destroy();
    await closed;
  }

  #open(socket: Socket): void {
    const { remoteAddress = "", remotePort = 0 } = socket;
    const peer = `${remoteAddress}:${remotePort}`;
    socket.on("error", () => undefined);
    const isTight = isOneOfTheLast(socket, this.#descriptors);
    for (const victim of this.#table.open(socket, remoteAddress, isTight)) victim.destroy();
    if (socket.destroyed) return;
    const patience = new Timer(
      admittedWithinMs,
      () => {
        socket.destroy();
      },
      { isBackground: true },
    );
    this.#callers.set(peer, { socket, patience });
    socket.once("close", () => {
      patience.cancel();
      this.#table.close(socket);
      if (this.#callers.get(peer)?.socket === socket) this.#callers.delete(peer);
    });
    const { part, onFault, take } = this.#options;
    const contain = (error: unknown): void => {
      socket.destroy();
      onFault?.(errorMessage(error));
    };
    handled({ part, contain }, () => {
      take(socket);
    });
  }
}

/** Half of what the process may have open: a control plane serves many proxies, and little else. */
function doorLimits(descriptors: number): ConnectionLimits {
  const most = Math.min(20_000, Math.max(64, Math.floor(descriptors / 2)));
  return { most, mostOfOneSource: Math.ceil((most * 3) / 4) };
}
