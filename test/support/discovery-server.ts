/** A discovery server of which the test holds both ends: it sees each stream and its bytes, and writes any. */
import type { ByteStream } from "../../src/grpc/channel.ts";
import type { ServerTls } from "../../src/grpc/renewable-credentials.ts";
import { type CallContext, GrpcServer } from "../../src/grpc/server.ts";
import { type Inbox, inboxOf } from "./inbox.ts";
import { eventually } from "./eventually.ts";

/** One stream as the server has it. */
export interface ServedStream {
  readonly method: string;
  readonly context: CallContext;
  readonly stream: ByteStream;
  readonly inbox: Inbox;
  /** End the stream, with an error if one is given. */
  end(error?: Error): void;
}

export interface TestDiscoveryServerOptions {
  readonly port?: number;
  readonly tls?: ServerTls;
}

const methods = ["StreamAggregatedResources", "DeltaAggregatedResources"];

export class TestDiscoveryServer implements AsyncDisposable {
  readonly streams: ServedStream[] = [];
  #server: GrpcServer | undefined;

  static async listen(options: TestDiscoveryServerOptions = {}): Promise<TestDiscoveryServer> {
    const discovery = new TestDiscoveryServer();
    const serve =
      (method: string) =>
      (stream: ByteStream, context: CallContext): Promise<void> => {
        const ended = Promise.withResolvers<void>();
        discovery.streams.push({
          method,
          context,
          stream,
          inbox: inboxOf(stream),
          end: (error) => {
            if (error === undefined) ended.resolve();
            else ended.reject(error);
          },
        });
        return ended.promise;
      };
    discovery.#server = await GrpcServer.listen(
      {
        host: "127.0.0.1",
        port: options.port ?? 0,
        ...(options.tls === undefined ? {} : { tls: options.tls }),
      },
      [
        {
          name: "envoy.service.discovery.v3.AggregatedDiscoveryService",
          streams: Object.fromEntries(methods.map((method) => [method, serve(method)])),
        },
      ],
      // What the agent sends is measured here, and not bounded.
      { maxMessageBytes: 2 ** 30 },
    );
    return discovery;
  }

  get port(): number {
    return this.#server?.port ?? 0;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** The stream number `index`, once it is there. */
  stream(index: number): Promise<ServedStream> {
    return eventually(
      `stream ${index}`,
      () => {
        const stream = this.streams[index];
        if (stream === undefined) throw new Error(`${this.streams.length} streams`);
        return stream;
      },
      { withinMs: 5_000, everyMs: 5 },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
  }
}
