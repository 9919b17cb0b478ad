/**
 * Asks one Envoy again and again whether its main thread answers, at the least cost.
 *
 * The agent does this for as long as it lives. One connection is kept for it, and of an answer only the first line
 * is read: a request through Node.js' HTTP client takes four times the processor time.
 */
import { connect, type Socket } from "node:net";
import { Timer } from "../../lifecycle/timer.ts";

/** Makes Envoy's main thread do next to nothing, and names it no secret. */
const request = "GET /hot_restart_version HTTP/1.1\r\nhost: envoy\r\n\r\n";
const good = "HTTP/1.1 200 ";

/** The rest of an answer is thrown away: it is read into the same few bytes. */
const bufferBytes = 1_024;

type Answer = "good" | "bad" | "closed" | "none";

/** Keeps a connection to the admin socket of one Envoy; disposing closes it. */
export class AdminPulse implements Disposable {
  readonly socketPath: string;
  #socket: Socket | undefined;
  #settle: ((answer: Answer) => void) | undefined;

  /** Nothing is connected before the first question. */
  constructor(socketPath: string) {
    this.socketPath = socketPath;
  }

  /** True when it answers in time. One question at a time. */
  async beats(timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    const wasOpen = this.#socket !== undefined;
    const answer = await this.#ask(timeoutMs);
    // What was kept may be closed by the other side for reasons of its own: a new connection tells.
    const isOld = answer === "closed" && wasOpen;
    return (isOld ? await this.#ask(deadline - performance.now()) : answer) === "good";
  }

  [Symbol.dispose](): void {
    this.#socket?.destroy();
    this.#socket = undefined;
    this.#settle?.("closed");
  }

  #ask(timeoutMs: number): Promise<Answer> {
    return new Promise((resolve) => {
      const timer = new Timer(timeoutMs, () => {
        // A late answer to this question must not be taken for one to the next.
        this.#settle?.("none");
        this[Symbol.dispose]();
      });
      this.#settle = (answer) => {
        this.#settle = undefined;
        timer.cancel();
        resolve(answer);
      };
      this.#socket ??= this.#connect();
      this.#socket.write(request);
    });
  }

  #connect(): Socket {
    const buffer = Buffer.allocUnsafeSlow(bufferBytes);
    const callback = (bytes: number): boolean => {
      this.#settle?.(buffer.toString("latin1", 0, bytes).startsWith(good) ? "good" : "bad");
      return true;
    };
    const socket = connect({ path: this.socketPath, onread: { buffer, callback } });
    const close = (): void => {
      if (this.#socket !== socket) return;
      socket.destroy();
      this.#socket = undefined;
      this.#settle?.("closed");
    };
    socket.on("error", close);
    socket.on("end", close);
    socket.on("close", close);
    return socket;
  }
}
