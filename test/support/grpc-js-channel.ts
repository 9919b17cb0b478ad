/** The same streams over grpc-js: another implementation of the protocol, as a peer of this one. */
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { type ByteStream, type ChannelOptions } from "../../src/grpc/channel.ts";
import { GrpcError } from "../../src/grpc/grpc-error.ts";

const asIs = (message: Buffer): Buffer => message;

export class GrpcJsChannel implements Disposable {
  readonly #client: Client;

  constructor({ address }: ChannelOptions) {
    this.#client = new Client(address, credentials.createInsecure(), {
      "grpc.max_receive_message_length": -1,
      "grpc.max_send_message_length": -1,
      "grpc.use_local_subchannel_pool": 1,
    });
  }

  stream(path: string, metadata: Readonly<Record<string, string>>): ByteStream {
    const sent = new Metadata();
    for (const [key, value] of Object.entries(metadata)) sent.set(key, value);
    const call = this.#client.makeBidiStreamRequest(path, asIs, asIs, sent);
    call.on("error", () => undefined);
    const messages = call[Symbol.asyncIterator]();
    return {
      write: (message) => new Promise((resolve) => call.write(Buffer.from(message), () => resolve())),
      enqueue: (message) => {
        call.write(Buffer.from(message));
      },
      end: () => {
        call.end();
      },
      cancel: () => {
        call.cancel();
      },
      [Symbol.asyncIterator]: () => ({
        next: () =>
          messages.next().catch((error: unknown) => {
            throw GrpcError.from(error);
          }) as Promise<IteratorResult<Buffer, undefined>>,
      }),
    };
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}
