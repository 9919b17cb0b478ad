/**
 * A Unix socket that stands in for another one, which listens and has no name any more.
 *
 * A listening socket cannot be given a second name. What connects here is passed on, byte for byte, so that it is found
 * by whoever looks for the name, in whatever namespace, with the same rights as before.
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import { guarded } from "../lifecycle/guard.ts";
import { connectionLimits } from "./connection-table.ts";
import { maxDescriptors } from "./descriptors.ts";
import { withSocketMode } from "./unix-socket.ts";

/** Listens when `listen` resolves; disposing it removes its name, and leaves open what it has passed on. */
export class SocketRelay implements Disposable {
  readonly #server: Server;

  private constructor(target: string) {
    this.#server = createServer({ allowHalfOpen: true }, (client) => {
      passOn(client, target);
    });
    // A connection takes two descriptors here.
    this.#server.maxConnections = connectionLimits(maxDescriptors(), 16).most;
  }

  /**
   * @param mode of the socket
   * @param target path at which the other one is still reached
   * @throws the system error when the path cannot be bound
   */
  static async listen(path: string, mode: number, target: string): Promise<SocketRelay> {
    // What goes wrong with a connection ends that connection, and is heard by who has it.
    const guard = { part: "a socket that was given back its name", contain: () => undefined };
    return guarded(guard, async () => {
      const relay = new SocketRelay(target);
      await withSocketMode(mode, () => bound(relay.#server, path));
      relay.#server.on("error", () => undefined);
      return relay;
    });
  }

  [Symbol.dispose](): void {
    this.#server.close();
  }
}

function bound(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ path }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function passOn(client: Socket, target: string): void {
  const upstream = connect({ path: target, allowHalfOpen: true });
  for (const [one, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    // An error is followed by `close`, which is all that counts.
    one.on("error", () => undefined);
    one.once("close", () => {
      // What it had to say to the end is still to arrive.
      if (one.readableEnded) other.destroySoon();
      else other.destroy();
    });
    one.pipe(other);
  }
}
