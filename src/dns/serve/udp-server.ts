/**
 * Queries over UDP.
 */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { guarded } from "../../lifecycle/guard.ts";
import type { Answerer } from "../answer/answerer.ts";

/** What an answer that cannot be sent means: nothing that another query would suffer from. */
export type Unsent = (error: Error) => void;

/** Told of what nothing has caught: the query that it was about gets no answer, and all others do. */
export type Unexpected = (error: unknown) => void;

/** As errors call it. */
export const part = "the DNS proxy";

/** A socket that is bound when `listen` resolves. */
export class UdpServer implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #answerer: Pick<Answerer, "answer">;
  readonly #unsent: Unsent;
  /** Told of each answer whether it could be sent: one for all of them. */
  readonly #onSent: (error: Error | null) => void;

  private constructor(socket: Socket, answerer: Pick<Answerer, "answer">, unsent: Unsent) {
    this.#socket = socket;
    this.#answerer = answerer;
    this.#unsent = unsent;
    this.#onSent = (error) => {
      if (error !== null) unsent(error);
    };
    socket.on("message", (message, from) => {
      this.#take(message, from);
    });
    socket.on("error", unsent);
  }

  /** @throws the system error when the address cannot be bound */
  static listen(
    place: { readonly host: string; readonly port: number },
    answerer: Pick<Answerer, "answer">,
    unsent: Unsent,
    unexpected: Unexpected,
  ): Promise<UdpServer> {
    return guarded({ part, contain: unexpected }, () => UdpServer.#bound(place, answerer, unsent));
  }

  static async #bound(
    place: { readonly host: string; readonly port: number },
    answerer: Pick<Answerer, "answer">,
    unsent: Unsent,
  ): Promise<UdpServer> {
    const isV6 = isIPv6(place.host);
    const socket = createSocket({
      ...{ type: isV6 ? "udp6" : "udp4", ipv6Only: isV6 },
      // Answers go to addresses: to look one up as a name would take a turn of the loop each time.
      lookup: (address, _options, found) => {
        found(null, address, isV6 ? 6 : 4);
      },
    });
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    socket.once("error", reject);
    socket.bind({ address: place.host, port: place.port }, () => {
      resolve(undefined);
    });
    try {
      await promise;
    } catch (error) {
      socket.close();
      throw error;
    }
    socket.off("error", reject);
    return new UdpServer(socket, answerer, unsent);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.close(resolve);
    });
  }

  #take(message: Buffer, from: RemoteInfo): void {
    const answer = this.#answerer.answer(message, { address: from.address, port: from.port, overTcp: false });
    if (answer === undefined) return;
    if (answer instanceof Promise) {
      answer.then((late) => {
        this.#send(late, from);
      }, this.#unsent);
    } else this.#send(answer, from);
  }

  #send(answer: Buffer, { port, address }: RemoteInfo): void {
    try {
      this.#socket.send(answer, port, address, this.#onSent);
    } catch {
      // It was closed meanwhile.
    }
  }
}
