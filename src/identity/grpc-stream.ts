/**
 * A gRPC stream that an identity comes over: opened on a connection of its own, and anew whenever it ends.
 */
import { type ByteStream, GrpcChannel } from "../grpc/channel.ts";
import { type Backoff, backoffDelayMs } from "../lifecycle/backoff.ts";
import { sleep } from "../lifecycle/sleep.ts";
import { Timer } from "../lifecycle/timer.ts";

/** Where to, and what is done with it. */
export interface FollowedStream {
  /** gRPC target. */
  readonly target: string;
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Send the first request; `end` if it stays the only one. */
  readonly open: (stream: ByteStream) => void;
  /** Take in a message. */
  readonly take: (message: Buffer, stream: ByteStream) => void;
  /** The stream failed. Returns how long to wait, in milliseconds, if that is not for back-off to say. */
  readonly failed: (error: unknown) => number | undefined;
  /** Nothing has come for so long that somebody should know, once for each stream. */
  readonly silent: () => void;
}

const backoff: Backoff = { initialMs: 200, multiplier: 2, maxMs: 15_000, jitter: 0.3 };

/** A stream that brought something and lasted for so long was a good one, in milliseconds. */
const lastingMs = backoff.maxMs;

/** How long a server may take for its first message, in milliseconds. */
const silenceMs = 10_000;

/** Follow the stream, over a new one when it ends, until `signal` aborts. */
export async function followStream(followed: FollowedStream, signal: AbortSignal): Promise<void> {
  for (let failures = 0; !signal.aborted;) {
    const openedAt = performance.now();
    let messages = 0;
    let delayMs: number | undefined;
    const silence = new Timer(silenceMs, followed.silent);
    try {
      for await (const [message, stream] of messagesOf(followed, signal)) {
        silence.cancel();
        messages += 1;
        followed.take(message, stream);
      }
    } catch (error) {
      if (signal.aborted) return;
      delayMs = followed.failed(error);
    } finally {
      silence.cancel();
    }
    if (messages > 0 && performance.now() - openedAt >= lastingMs) failures = 0;
    // The first new connection is made almost at once (SPIFFE_Workload_API, section 4.2).
    await sleep(delayMs ?? backoffDelayMs(backoff, failures, Math.random()), signal);
    failures += 1;
  }
}

async function* messagesOf(
  { target, path, metadata, open }: FollowedStream,
  signal: AbortSignal,
): AsyncGenerator<readonly [Buffer, ByteStream], void, undefined> {
  using channel = new GrpcChannel({ address: target, tls: undefined });
  const stream = channel.stream(path, metadata);
  const cancel = (): void => {
    stream.cancel();
  };
  signal.addEventListener("abort", cancel, { once: true });
  try {
    open(stream);
    for await (const message of stream) yield [message, stream];
  } finally {
    signal.removeEventListener("abort", cancel);
    stream.cancel();
  }
}
