/**
 * Envoy's Secret Discovery Service on a Unix socket (Envoy's documentation, "Secret discovery service").
 *
 * A stream is one loop over requests and one over changes; both send whatever is due. All three methods are served:
 * state of the world, incremental, and a single fetch.
 */
import { randomUUID } from "node:crypto";
import { create, toBinary } from "@bufbuild/protobuf";
import type { ByteStream } from "../grpc/channel.ts";
import { GrpcError } from "../grpc/grpc-error.ts";
import type { CallContext } from "../grpc/server.ts";
import { StreamServer } from "../grpc/stream-server.ts";
import type { ReadonlyWatch } from "../lifecycle/watch.ts";
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "../proto/agent/discovery_pb.js";
import type { Logger } from "../telemetry/log.ts";
import type { CounterMetric, Metrics } from "../telemetry/metrics.ts";
import { typeUrl } from "../xds/type-urls.ts";
import { decodeRequest } from "./decode.ts";
import { DeltaSecretSession } from "./delta-secret-session.ts";
import { ownIdentifier } from "./own-identifier.ts";
import { parseSecretName } from "./secret-name.ts";
import { type EncodedSecret, SecretSession, type SessionVerdict } from "./secret-session.ts";
import { type EncodedSecrets, SecretTable, type SecretTableOptions } from "./secret-table.ts";
import type { SdsSecrets } from "./secrets.ts";

/** Where to listen, and what the secrets are made with. */
export interface SdsOptions extends SecretTableOptions {
  /** Path of the Unix socket. */
  readonly path: string;
  /** Mode of the socket; private keys pass through it, so 0600 unless Envoy has another uid. */
  readonly mode: number;
}

/** What the server needs. */
export interface SdsDependencies {
  readonly secrets: ReadonlyWatch<SdsSecrets>;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** One stream's protocol. */
interface Session {
  readonly names: ReadonlySet<string>;
  /** Take in a message. Returns the node that it names and what it says. */
  receive(message: Buffer): { readonly node: string | undefined; readonly verdict: SessionVerdict };
  /** The next response, remembered as sent; undefined when nothing is due. */
  respond(
    secrets: EncodedSecrets,
  ): { readonly names: readonly string[]; readonly bytes: Uint8Array } | undefined;
}

/** Unknown names that are remembered at most: a name is warned of once. */
const maxUnknownNames = 1_000;

/** Serves secrets to Envoy; disposing ends its streams. */
export class SdsServer implements AsyncDisposable {
  readonly #table: SecretTable;
  readonly #log: Logger;
  readonly #pushes: CounterMetric;
  readonly #rejections: CounterMetric;
  /** Names that were warned about. */
  readonly #unknownNames = new Set<string>();
  #server: StreamServer | undefined;
  #streams = 0;
  #versions = 0;

  private constructor(options: SdsOptions, { secrets, log, metrics }: SdsDependencies) {
    this.#table = new SecretTable(options, secrets, log);
    this.#log = log;
    this.#pushes = metrics.counter("sds_pushes", "Secrets sent to Envoy.", ["resource_name"]);
    this.#rejections = metrics.counter("sds_rejections", "Responses with secrets that Envoy refused.");
    metrics.computed("sds_streams", "Open streams that ask for secrets.", {}, () => this.#streams);
  }

  /**
   * Bind the socket. Nothing is answered before `run`.
   *
   * @throws SocketPathError when there can be no socket at the path
   */
  static async listen(options: SdsOptions, deps: SdsDependencies): Promise<SdsServer> {
    const sds = new SdsServer(options, deps);
    sds.#server = await StreamServer.listen(options, [
      {
        name: "envoy.service.secret.v3.SecretDiscoveryService",
        streams: {
          StreamSecrets: (stream, context) => sds.#serve(sds.#sotwSession(), stream, context),
          DeltaSecrets: (stream, context) => sds.#serve(sds.#deltaSession(), stream, context),
        },
        unary: { FetchSecrets: (message) => sds.#fetch(message) },
      },
    ]);
    return sds;
  }

  /** Follow the secrets, until `signal` aborts. */
  run(signal: AbortSignal): Promise<void> {
    return this.#table.run(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
  }

  async #serve(session: Session, stream: ByteStream, context: CallContext): Promise<void> {
    const ended = new AbortController();
    this.#streams += 1;
    const requests = async (): Promise<void> => {
      try {
        await this.#receive(session, stream, context.signal);
      } finally {
        ended.abort();
        this.#table.letGo(session.names);
        this.#streams -= 1;
      }
    };
    const changes = async (): Promise<void> => {
      for await (const _ of this.#table.encoded.changes(AbortSignal.any([context.signal, ended.signal]))) {
        await this.#send(session, stream);
      }
    };
    await Promise.all([requests(), changes()]);
  }

  async #receive(session: Session, stream: ByteStream, gone: AbortSignal): Promise<void> {
    let node: string | undefined;
    try {
      for await (const message of stream) {
        const before = new Set(session.names);
        const { node: named, verdict } = session.receive(message);
        // Streams are told apart by name, so that what is let go is what was wanted.
        const added = [...session.names].filter((name) => !before.has(name));
        this.#table.letGo([...before].filter((name) => !session.names.has(name)));
        await this.#table.want(added);
        node ??= named;
        if (node === undefined || node === "")
          throw new GrpcError("INVALID_ARGUMENT", "missing node information");
        this.#warnOfUnknownNames(verdict.unknownNames, node);
        if (verdict.rejection !== undefined) {
          this.#rejections.inc();
          this.#log.warn("Envoy refused a secret", { node, reason: verdict.rejection });
        }
        await this.#send(session, stream);
      }
    } catch (error) {
      // An Envoy that goes away breaks its stream; nobody is left to hear of it.
      if (!gone.aborted) throw error;
    }
  }

  async #send(session: Session, stream: ByteStream): Promise<void> {
    const response = session.respond(this.#table.encoded.current);
    if (response === undefined) return;
    for (const name of response.names) {
      this.#pushes.inc({ resource_name: name });
      this.#log.info("secret sent to Envoy", { resource: name });
    }
    await stream.write(response.bytes);
  }

  async #fetch(message: Buffer): Promise<Uint8Array> {
    const { resourceNames: names } = decodeRequest(DiscoveryRequestSchema, message);
    const unknown = names.filter((name) => parseSecretName(name) === undefined);
    if (unknown.length > 0)
      throw new GrpcError("NOT_FOUND", `there is no secret of the name ${unknown.join(", ")}`);
    await this.#table.want(names);
    try {
      const secrets = this.#table.encoded.current;
      const missing = names.filter((name) => !secrets.has(name));
      if (missing.length > 0) throw new GrpcError("UNAVAILABLE", `not there yet: ${missing.join(", ")}`);
      const found = names.map((name) => ({ name, bytes: secrets.get(name) ?? Buffer.alloc(0) }));
      return this.#sotwResponse(found, "");
    } finally {
      this.#table.letGo(names);
    }
  }

  #sotwSession(): Session {
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
        const nonce = randomUUID();
        session.sent(due, nonce);
        return { names: due.map(({ name }) => name), bytes: this.#sotwResponse(due, nonce) };
      },
    };
  }

  #sotwResponse(secrets: readonly EncodedSecret[], nonce: string): Uint8Array {
    const response = create(DiscoveryResponseSchema, {
      versionInfo: this.#nextVersion(),
      typeUrl: typeUrl.secret,
      nonce,
      controlPlane: { identifier: ownIdentifier },
      resources: secrets.map(({ bytes }) => ({ typeUrl: typeUrl.secret, value: bytes })),
    });
    return toBinary(DiscoveryResponseSchema, response);
  }

  #deltaSession(): Session {
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
        const nonce = randomUUID();
        session.sent(due, nonce);
        const response = create(DeltaDiscoveryResponseSchema, {
          systemVersionInfo: this.#nextVersion(),
          typeUrl: typeUrl.secret,
          nonce,
          resources: due.changed.map(({ name, version, bytes }) => ({
            name,
            version,
            resource: { typeUrl: typeUrl.secret, value: bytes },
          })),
          removedResources: [...due.removed],
        });
        return {
          names: due.changed.map(({ name }) => name),
          bytes: toBinary(DeltaDiscoveryResponseSchema, response),
        };
      },
    };
  }

  #nextVersion(): string {
    this.#versions += 1;
    return `${new Date().toISOString()}/${this.#versions}`;
  }

  #warnOfUnknownNames(names: readonly string[], node: string): void {
    for (const name of names) {
      if (this.#unknownNames.has(name) || this.#unknownNames.size >= maxUnknownNames) continue;
      this.#unknownNames.add(name);
      this.#log.warn("Envoy asks for a secret that does not exist here; it gets no answer", {
        resource: name,
        node,
        remedy:
          "the agent serves default and ROOTCA, file-cert:CHAIN~KEY, file-root:PATH and file-root:system: " +
          "name one of them in the listener or cluster that asks",
      });
    }
  }
}
