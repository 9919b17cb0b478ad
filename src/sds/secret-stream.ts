/**
 * One stream of Envoy that asks for secrets: requests are read as they come, responses go out one after the other as
 * Envoy takes them. A stream that stalls gets the newest secrets when it goes on, not all in between.
 */
import type { ByteStream } from "../grpc/channel.ts";
import { GrpcError } from "../grpc/grpc-error.ts";
import { DeltaDiscoveryRequestSchema, DiscoveryRequestSchema } from "../proto/agent/discovery_pb.js";
import { decodeRequest } from "./decode.ts";
import { DeltaSecretSession } from "./delta-secret-session.ts";
import type { SecretResponse, SecretResponses } from "./responses.ts";
import { SecretSession, type SessionVerdict } from "./secret-session.ts";
import type { EncodedSecrets, SecretTable } from "./secret-table.ts";

/** One stream's protocol. */
export interface Session {
  /** The names that the stream wants, unknown ones included. */
  readonly names: ReadonlySet<string>;
  /** Take in a message. Returns the node that it names and what it says. */
  receive(message: Buffer): { readonly node: string | undefined; readonly verdict: SessionVerdict };
  /** The next response, remembered as sent; undefined when nothing is due. */
  respond(secrets: EncodedSecrets): SecretResponse | undefined;
}

/** State of the world. */
export function sotwSession(responses: SecretResponses): Session {
  const session = new SecretSession();
  return {
    get names() {
      return session.names;
    },
    receive: (message) => {
      const request = decodeRequest(DiscoveryRequestSchema, message);
      return { node: request.node?.id, verdict: session.receive(request) };
    },
    respond: (secrets) => {
      const due = session.due(secrets);
      if (due.length === 0) return undefined;
      const response = responses.sotw(due);
      session.sent(due, response.nonce);
      return response;
    },
  };
}

/** Incremental. */
export function deltaSession(responses: SecretResponses): Session {
  const session = new DeltaSecretSession();
  return {
    get names() {
      return session.names;
    },
    receive: (message) => {
      const request = decodeRequest(DeltaDiscoveryRequestSchema, message);
      return { node: request.node?.id, verdict: session.receive(request) };
    },
    respond: (secrets) => {
      const due = session.due(secrets);
      if (due.changed.length === 0 && due.removed.length === 0) return undefined;
      const response = responses.delta(due);
      session.sent(due, response.nonce);
      return response;
    },
  };
}

/** What a stream is served with. */
export interface SecretStreamDependencies {
  readonly session: Session;
  readonly stream: ByteStream;
  /** Aborts when Envoy is gone. */
  readonly gone: AbortSignal;
  readonly table: SecretTable;
  /** A request of so many bytes has come. */
  readonly received: (node: string, verdict: SessionVerdict, bytes: number) => void;
  /** A response goes out. */
  readonly sent: (response: SecretResponse) => void;
  /** Envoy has taken it, after so many milliseconds. */
  readonly written: (ms: number) => void;
}

/** The stream. */
export class SecretStream {
  readonly #deps: SecretStreamDependencies;
  #due = Promise.withResolvers<void>();
  #isOver = false;

  constructor(deps: SecretStreamDependencies) {
    this.#deps = deps;
  }

  /** Something may be due: the secrets have changed. */
  wake(): void {
    this.#due.resolve();
  }

  /** Serve it to its end. @throws GrpcError that tells Envoy what was wrong with its request */
  async run(): Promise<void> {
    await Promise.all([this.#receive(), this.#respond()]);
  }

  async #receive(): Promise<void> {
    const { session, stream, gone, table, received } = this.#deps;
    let node: string | undefined;
    try {
      for await (const message of stream) {
        const before = new Set(session.names);
        const { node: named, verdict } = session.receive(message);
        node ??= named;
        if (node === undefined || node === "")
          throw new GrpcError("INVALID_ARGUMENT", "missing node information");
        // Streams are told apart by name, so that what is let go is what was wanted.
        const added = [...session.names].filter((name) => !before.has(name));
        table.letGo([...before].filter((name) => !session.names.has(name)));
        await table.want(added);
        received(node, verdict, message.length);
        this.wake();
      }
    } catch (error) {
      // An Envoy that goes away breaks its stream; nobody is left to hear of it.
      if (!gone.aborted) throw error;
    } finally {
      this.#isOver = true;
      this.wake();
      table.letGo(session.names);
    }
  }

  async #respond(): Promise<void> {
    const { session, stream, table, sent, written } = this.#deps;
    for (;;) {
      await this.#due.promise;
      if (this.#isOver) return;
      this.#due = Promise.withResolvers<void>();
      const response = session.respond(table.encoded.current);
      if (response === undefined) continue;
      sent(response);
      const writtenAt = performance.now();
      await stream.write(response.bytes);
      written(performance.now() - writtenAt);
    }
  }
}
