/**
 * An HTTP/2 connection to a gRPC server, kept alive.
 */
import { type ClientHttp2Session, connect, constants } from "node:http2";
import type { Socket } from "node:net";
import { every, Timer } from "../lifecycle/timer.ts";
import type { ChannelOptions } from "./channel.ts";
import { dial } from "./dial.ts";
import type { TransportEnd } from "./grpc-error.ts";

/**
 * What a server may send ahead of what was read: with HTTP/2's own 64 KiB a large configuration takes a round trip
 * for each of them. A client that does not read makes the agent take in this much.
 */
const windowBytes = 2_097_152;

/** Between two pings, and from a ping to its answer, in milliseconds. */
const keepalive = { everyMs: 30_000, answerWithinMs: 10_000 } as const;

/** Why a connection is gone. */
export interface LostConnection {
  readonly words: string;
  /** Undefined when the server ended it for an error. */
  readonly transport: TransportEnd | undefined;
}

function dropped(why?: string): LostConnection {
  const words = why === undefined ? "Connection dropped" : `Connection dropped: ${why}`;
  return { words, transport: "connection-lost" };
}

/** The connection; it ends when the signal that it was opened with aborts. */
export class Connection {
  readonly session: ClientHttp2Session;
  readonly #socket: Socket;
  #reason: LostConnection | undefined;

  private constructor(session: ClientHttp2Session, socket: Socket) {
    this.session = session;
    this.#socket = socket;
    session.on("connect", () => {
      // Whoever opened it may have closed it since.
      if (!session.destroyed) session.setLocalWindowSize(windowBytes);
    });
    session.on("error", (error) => {
      this.#reason ??= dropped(error.message);
    });
    session.on("goaway", (code: number) => {
      this.#reason ??=
        code === constants.NGHTTP2_NO_ERROR
          ? { ...dropped("GOAWAY NO_ERROR"), transport: "going-away" }
          : { words: `the server ended the connection with HTTP/2's error ${code}`, transport: undefined };
    });
    this.#keepAlive();
  }

  /** @throws GrpcError */
  static async open(options: ChannelOptions, closing: AbortSignal): Promise<Connection> {
    const socket = await dial(options, closing);
    const session = connect(options.tls === undefined ? "http://localhost" : "https://localhost", {
      createConnection: () => socket,
      maxSessionMemory: Number.MAX_SAFE_INTEGER,
      settings: { enablePush: false, initialWindowSize: windowBytes },
    });
    closing.addEventListener(
      "abort",
      () => {
        session.destroy();
      },
      { once: true },
    );
    return new Connection(session, socket);
  }

  /** What ended the connection; undefined while it stands. */
  get whyLost(): LostConnection | undefined {
    const isLost = this.#socket.destroyed || this.session.destroyed;
    return isLost ? (this.#reason ?? dropped()) : undefined;
  }

  #keepAlive(): void {
    const { session } = this;
    const background = { isBackground: true };
    let deadline: Timer | undefined;
    const giveUp = (): void => {
      this.#reason ??= dropped(`no answer to a ping within ${keepalive.answerWithinMs / 1_000} s`);
      session.destroy();
    };
    const ask = (): void => {
      if (session.destroyed) return;
      deadline = new Timer(keepalive.answerWithinMs, giveUp, background);
      session.ping(() => {
        deadline?.cancel();
      });
    };
    const pings = every(keepalive.everyMs, ask, background);
    session.once("close", () => {
      pings[Symbol.dispose]();
      deadline?.cancel();
    });
  }
}
