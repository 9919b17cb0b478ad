/**
 * Envoy's Secret Discovery Service on a Unix socket (Envoy's documentation, "Secret discovery service").
 *
 * All three methods are served: state of the world, incremental, and a single fetch.
 */
import type { ByteStream } from "../grpc/channel.ts";
import { GrpcError } from "../grpc/grpc-error.ts";
import type { CallContext, GrpcService } from "../grpc/server.ts";
import { StreamServer } from "../grpc/stream-server.ts";
import type { ReadonlyWatch } from "../lifecycle/watch.ts";
import { DiscoveryRequestSchema } from "../proto/agent/discovery_pb.js";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { decodeRequest } from "./decode.ts";
import { SdsMetrics } from "./metrics.ts";
import { type SecretResponse, SecretResponses } from "./responses.ts";
import { parseSecretName } from "./secret-name.ts";
import type { SessionVerdict } from "./secret-session.ts";
import { deltaSession, SecretStream, type Session, sotwSession } from "./secret-stream.ts";
import { SecretTable, type SecretTableOptions } from "./secret-table.ts";
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

/** Unknown names that are remembered at most: a name is warned of once. */
const maxUnknownNames = 1_000;

/** Serves secrets to Envoy; disposing ends its streams. */
export class SdsServer implements AsyncDisposable {
  readonly #table: SecretTable;
  readonly #log: Logger;
  readonly #metrics: SdsMetrics;
  /** Names that were warned about. */
  readonly #unknownNames = new Set<string>();
  #server: StreamServer | undefined;
  readonly #responses = new SecretResponses();
  readonly #streams = new Set<SecretStream>();
  /** Secrets that were sent and not logged yet, with the number of streams. */
  readonly #untold = new Map<string, number>();
  #isTelling = false;

  private constructor(options: SdsOptions, { secrets, log, metrics }: SdsDependencies) {
    this.#table = new SecretTable(options, secrets, log);
    this.#log = log;
    this.#metrics = new SdsMetrics(metrics, () => this.#streams.size);
  }

  /**
   * Bind the socket. Nothing is answered before `run`.
   *
   * @throws SocketPathError when there can be no socket at the path
   */
  static async listen(options: SdsOptions, deps: SdsDependencies): Promise<SdsServer> {
    const sds = new SdsServer(options, deps);
    const service: GrpcService = {
      name: "envoy.service.secret.v3.SecretDiscoveryService",
      streams: {
        StreamSecrets: (stream, context) => sds.#serve(sotwSession(sds.#responses), stream, context),
        DeltaSecrets: (stream, context) => sds.#serve(deltaSession(sds.#responses), stream, context),
      },
      unary: { FetchSecrets: (message) => sds.#fetch(message) },
    };
    sds.#server = await StreamServer.listen(options, [service], {
      part: "the SDS socket",
      onFault: (reason) => {
        deps.log.error("a stream of the SDS socket failed", { reason });
      },
    });
    return sds;
  }

  /** Follow the secrets, until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#table.run(signal), this.#push(signal)]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
  }

  async #push(signal: AbortSignal): Promise<void> {
    for await (const _ of this.#table.encoded.changes(signal)) {
      this.#responses.forget();
      for (const stream of this.#streams) stream.wake();
    }
  }

  async #serve(session: Session, stream: ByteStream, context: CallContext): Promise<void> {
    const served = new SecretStream({
      ...{ session, stream, table: this.#table },
      gone: context.signal,
      received: (node, verdict, bytes) => {
        this.#metrics.request(bytes);
        this.#received(node, verdict);
      },
      written: (ms) => {
        this.#metrics.written(ms);
      },
      sent: (response) => {
        this.#sent(response);
      },
    });
    this.#streams.add(served);
    try {
      await served.run();
    } finally {
      this.#streams.delete(served);
    }
  }

  #received(node: string, { unknownNames, rejection, isExpired }: SessionVerdict): void {
    this.#warnOfUnknownNames(unknownNames, node);
    if (isExpired) this.#metrics.expired();
    if (rejection === undefined) return;
    this.#metrics.reject();
    this.#log.warn("Envoy refused a secret", { node, reason: rejection });
  }

  /** Told once for all streams of a turn of the event loop: a rotation may go to thousands. */
  #sent({ names }: SecretResponse): void {
    for (const name of names) {
      this.#metrics.push(name);
      this.#untold.set(name, (this.#untold.get(name) ?? 0) + 1);
    }
    if (this.#isTelling) return;
    this.#isTelling = true;
    setImmediate(() => {
      this.#isTelling = false;
      for (const [resource, streams] of this.#untold)
        this.#log.info("secret sent to Envoy", { resource, streams });
      this.#untold.clear();
    });
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
      return this.#responses.sotw(found).bytes;
    } finally {
      this.#table.letGo(names);
    }
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
