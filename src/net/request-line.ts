/**
 * The requests of one connection, one after the other: the next is begun when the one before has its whole answer.
 *
 * HTTP/1.1 lets a client send as many as it likes at once; worked on at once they would each take a connection to
 * whoever is asked for the answer.
 */
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Waiting requests from which on no more are read; one piece of what has come may hold two thousand. */
const enough = 64;

/** Waiting requests that end the connection: to give up as many takes time, too. */
const tooMany = 4_096;

/** The requests of one connection. */
export class RequestLine {
  readonly #socket: Socket;
  readonly #onIdle: () => void;
  readonly #waiting: (() => ServerResponse)[] = [];
  #isBusy = false;
  #isPaused = false;

  /** @param onIdle called whenever every request so far has its whole answer */
  constructor(socket: Socket, onIdle: () => void) {
    this.#socket = socket;
    this.#onIdle = onIdle;
    socket.once("close", () => {
      this.#waiting.length = 0;
    });
  }

  /** @param begin begins to answer, and returns what the answer goes to */
  add(begin: () => ServerResponse): void {
    this.#waiting.push(begin);
    if (!this.#isBusy) this.#next();
    else if (this.#waiting.length > tooMany) this.#socket.destroy();
    else if (this.#waiting.length >= enough) this.#pause();
  }

  #next(): void {
    const begin = this.#waiting.shift();
    this.#isBusy = begin !== undefined;
    if (this.#isPaused) this.#pause();
    if (begin === undefined) {
      this.#onIdle();
      return;
    }
    begin().once("close", () => {
      // Other connections have their turn in between.
      setImmediate(() => {
        this.#next();
      });
    });
  }

  /** Node.js reads on with the end of each message that comes or was answered: it is stopped after that. */
  #pause(): void {
    this.#isPaused = this.#waiting.length >= enough / 2;
    if (!this.#isPaused) this.#socket.resume();
    else {
      queueMicrotask(() => {
        if (this.#isPaused) this.#socket.pause();
      });
    }
  }
}
