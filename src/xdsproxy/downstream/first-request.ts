/**
 * A stream's first request, looked at before it is known who serves the stream.
 */
import type { ByteStream } from "../../grpc/channel.ts";

/** The first request, and the stream as if nobody had read it; undefined when it ends before. Never rejects. */
export async function firstRequestOf(
  stream: ByteStream,
): Promise<{ readonly first: Buffer; readonly stream: ByteStream } | undefined> {
  const requests = stream[Symbol.asyncIterator]();
  try {
    const { done, value } = await requests.next();
    return done === true ? undefined : { first: value, stream: unread(stream, value, requests) };
  } catch {
    return undefined;
  }
}

function unread(stream: ByteStream, first: Buffer, rest: AsyncIterator<Buffer>): ByteStream {
  let next: Buffer | undefined = first;
  return {
    write: (message) => stream.write(message),
    enqueue: (message) => {
      stream.enqueue(message);
    },
    end: () => {
      stream.end();
    },
    cancel: () => {
      stream.cancel();
    },
    [Symbol.asyncIterator]: () => ({
      next: () => {
        const value = next;
        next = undefined;
        return value === undefined ? rest.next() : Promise.resolve({ done: false, value });
      },
      return: async () => (await rest.return?.()) ?? { done: true, value: undefined },
    }),
  };
}
