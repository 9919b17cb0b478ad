/**
 * A minimal HTTP/1.1 client on a bare socket: a tenth of the cost of node:http, and nothing is retried.
 *
 * It never sends on a connection whose last answer said `connection: close` or that the server has ended.
 */
import { connect, type Socket } from "node:net";
import { failed, type LoadClient, type LoadTarget, ok, type RequestOutcome } from "./options.ts";

export class Http1Client implements LoadClient {
  readonly #target: LoadTarget;
  readonly #timeoutMs: number;
  readonly #keepAlive: boolean;
  readonly #bytes: Buffer;
  #socket: Socket | undefined;

  constructor(options: {
    readonly target: LoadTarget;
    readonly timeoutMs: number;
    readonly keepAlive: boolean;
  }) {
    const { target, keepAlive } = options;
    this.#target = target;
    this.#timeoutMs = options.timeoutMs;
    this.#keepAlive = keepAlive;
    const close = keepAlive ? "" : "connection: close\r\n";
    this.#bytes = Buffer.from(`GET ${target.path} HTTP/1.1\r\nhost: ${target.authority}\r\n${close}\r\n`);
  }

  async request(): Promise<RequestOutcome> {
    const socket = this.#socket ?? connect({ host: this.#target.host, port: this.#target.port });
    const isReused = socket === this.#socket;
    const { outcome, reusable } = await exchange(socket, this.#bytes, {
      timeoutMs: this.#timeoutMs,
      isReused,
    });
    if (reusable && this.#keepAlive) this.#keep(socket);
    else {
      this.#socket = undefined;
      socket.destroy();
    }
    return outcome;
  }

  close(): void {
    this.#socket?.destroy();
  }

  #keep(socket: Socket): void {
    if (this.#socket === socket) return;
    this.#socket = socket;
    const forget = (): void => {
      if (this.#socket === socket) this.#socket = undefined;
      socket.destroy();
    };
    // An idle connection that ends is no failure: no request is lost with it.
    socket.on("end", forget);
    socket.on("error", forget);
  }
}

interface Exchange {
  readonly outcome: RequestOutcome;
  readonly reusable: boolean;
}

function exchange(
  socket: Socket,
  bytes: Buffer,
  { timeoutMs, isReused }: { readonly timeoutMs: number; readonly isReused: boolean },
): Promise<Exchange> {
  return new Promise((resolve) => {
    let received = "";
    const settle = (outcome: RequestOutcome, reusable = false): void => {
      clearTimeout(deadline);
      socket.off("data", onData);
      socket.off("end", onEnd);
      socket.off("error", onError);
      // A late error of a socket that is being dropped has no meaning any more.
      if (!reusable) socket.on("error", () => undefined);
      resolve({ outcome, reusable });
    };
    const cut = (detail: string): void => {
      if (socket.connecting) settle(failed("connect", detail));
      else if (received !== "") settle(failed("mid-response", detail));
      else settle(failed(isReused ? "keep-alive-race" : "before-response", detail));
    };
    const onData = (chunk: Buffer): void => {
      received += chunk.toString("latin1");
      const answer = readAnswer(received);
      if (answer === undefined) return;
      if (answer.status >= 200 && answer.status < 500) settle(ok, !answer.closes);
      else settle(failed("status", `${answer.status} ${answer.body.slice(0, 200)}`));
    };
    const onEnd = (): void => {
      cut("the server ended the connection");
    };
    const onError = (error: Error & { code?: string }): void => {
      if (error.code === "ECONNREFUSED") settle(failed("connect", "ECONNREFUSED"));
      else cut(error.code ?? error.message);
    };
    const deadline = setTimeout(() => {
      settle(
        failed("timeout", socket.connecting ? "while connecting" : `${received.length} bytes of answer`),
      );
    }, timeoutMs);
    socket.on("data", onData);
    socket.on("end", onEnd);
    socket.on("error", onError);
    socket.write(bytes);
  });
}

interface Answer {
  readonly status: number;
  readonly closes: boolean;
  readonly body: string;
}

/** The answer once it is whole: by its length, or at the last of its chunks. */
function readAnswer(text: string): Answer | undefined {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const head = text.slice(0, end).toLowerCase();
  const length = /\r\ncontent-length: *(\d+)/.exec(head)?.[1];
  const body = text.slice(end + 4);
  const isWhole = length === undefined ? body.endsWith("0\r\n\r\n") : body.length >= Number(length);
  if (!isWhole) return undefined;
  return {
    status: Number(head.slice(9, 12)),
    closes: /\r\nconnection: *close/.test(head),
    body,
  };
}
