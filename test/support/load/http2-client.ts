/**
 * An HTTP/2 client in plain text that obeys GOAWAY: no new stream on a session that was told to go away, streams
 * at or below its last stream ID run to their end, those above were never processed and are sent again.
 */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from "node:http2";
import { failed, type LoadClient, type LoadTarget, ok, type RequestOutcome } from "./options.ts";

type Attempt = RequestOutcome | { readonly kind: "refused" };

/** Times that one request may be refused unprocessed before it counts as failed. */
const maxAttempts = 3;

export class Http2Client implements LoadClient {
  readonly #target: LoadTarget;
  readonly #timeoutMs: number;
  readonly #keepAlive: boolean;
  readonly #onResent: () => void;
  #session: ClientHttp2Session | undefined;

  constructor(options: {
    readonly target: LoadTarget;
    readonly timeoutMs: number;
    readonly keepAlive: boolean;
    /** A request that was proven unprocessed goes out again. */
    readonly onResent: () => void;
  }) {
    this.#target = options.target;
    this.#timeoutMs = options.timeoutMs;
    this.#keepAlive = options.keepAlive;
    this.#onResent = options.onResent;
  }

  async request(): Promise<RequestOutcome> {
    for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
      const session = this.#open();
      const outcome = await exchange(session, this.#target, this.#timeoutMs);
      if (!this.#keepAlive) session.close();
      if (outcome.kind !== "refused") return outcome;
      this.#forget(session);
      this.#onResent();
    }
    return failed("before-response", `refused ${maxAttempts} times`);
  }

  close(): void {
    this.#session?.destroy();
  }

  #open(): ClientHttp2Session {
    const current = this.#session;
    if (current !== undefined && !current.closed && !current.destroyed) return current;
    const session = connect(`http://${this.#target.host}:${this.#target.port}`);
    session.on("goaway", () => {
      this.#forget(session);
    });
    session.on("close", () => {
      this.#forget(session);
    });
    // What it meant for a request is told by the request's own stream.
    session.on("error", () => {
      this.#forget(session);
    });
    if (this.#keepAlive) this.#session = session;
    return session;
  }

  #forget(session: ClientHttp2Session): void {
    if (this.#session === session) this.#session = undefined;
  }
}

function exchange(session: ClientHttp2Session, target: LoadTarget, timeoutMs: number): Promise<Attempt> {
  return new Promise((resolve) => {
    let stream: ClientHttp2Stream;
    try {
      stream = session.request({ ":path": target.path, ":authority": target.authority });
    } catch {
      // The session went away between its choice and its use: nothing was sent.
      resolve({ kind: "refused" });
      return;
    }
    let status: number | undefined;
    let cause: (Error & { code?: string; syscall?: string }) | undefined;
    let isLate = false;
    const deadline = setTimeout(() => {
      isLate = true;
      stream.close(constants.NGHTTP2_CANCEL);
    }, timeoutMs);
    stream.on("response", (headers: IncomingHttpHeaders & { ":status"?: number }) => {
      status = headers[":status"];
    });
    let isWhole = false;
    stream.on("end", () => {
      isWhole = true;
    });
    // A session that is cut hands its own error on to its streams.
    stream.on("error", (error) => {
      cause = error.cause instanceof Error ? error.cause : error;
    });
    stream.on("close", () => {
      clearTimeout(deadline);
      resolve(outcomeOf());
    });
    stream.resume();

    const outcomeOf = (): Attempt => {
      if (isLate) return failed("timeout", session.connecting ? "while connecting" : "no whole answer");
      const code = stream.rstCode ?? 0;
      if (code === constants.NGHTTP2_REFUSED_STREAM && status === undefined) return { kind: "refused" };
      if (status === undefined) {
        const detail = cause?.code ?? `stream closed with ${code}`;
        return failed(cause?.syscall === "connect" ? "connect" : "before-response", detail);
      }
      if (code !== 0 || !isWhole) return failed("mid-response", cause?.code ?? `stream closed with ${code}`);
      return status >= 200 && status < 500 ? ok : failed("status", String(status));
    };
  });
}
