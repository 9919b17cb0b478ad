/**
 * Envoy's Secret Discovery Service on a Unix socket (Envoy's documentation, "Secret discovery service").
 *
 * State of the world only, as in Istio: the delta and the fetch method stay unimplemented. A stream is one loop
 * over requests and one over changes; both send whatever is due.
 */
import { randomUUID } from "node:crypto";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { ByteStream } from "../grpc/channel.ts";
import { GrpcError } from "../grpc/grpc-error.ts";
import { type CallContext, GrpcServer } from "../grpc/server.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import type { ReadonlyWatch } from "../lifecycle/watch.ts";
import {
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "../proto/agent/discovery_pb.js";
import type { Logger } from "../telemetry/log.ts";
import type { CounterMetric, Metrics } from "../telemetry/metrics.ts";
import { typeUrl } from "../xds/type-urls.ts";
import { SecretSession } from "./secret-session.ts";
import type { SdsSecrets } from "./secrets.ts";

/** Where to listen. */
export interface SdsOptions {
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

/** Serves the workload's secrets to Envoy; disposing ends its streams. */
export class SdsServer implements AsyncDisposable {
  readonly #secrets: ReadonlyWatch<SdsSecrets>;
  readonly #log: Logger;
  readonly #pushes: CounterMetric;
  readonly #rejections: CounterMetric;
  /** Names that were warned about. */
  readonly #unknownNames = new Set<string>();
  #server: GrpcServer | undefined;
  #versions = 0;

  private constructor({ secrets, log, metrics }: SdsDependencies) {
    this.#secrets = secrets;
    this.#log = log;
    this.#pushes = metrics.counter("sds_pushes", "Secrets sent to Envoy.", ["resource_name"]);
    this.#rejections = metrics.counter("sds_rejections", "Responses with secrets that Envoy refused.");
  }

  /** @throws SocketPathError when there can be no socket at the path */
  static async listen(options: SdsOptions, deps: SdsDependencies): Promise<SdsServer> {
    const sds = new SdsServer(deps);
    sds.#server = await GrpcServer.listen(options, [
      {
        name: "envoy.service.secret.v3.SecretDiscoveryService",
        streams: { StreamSecrets: (stream, context) => sds.#serve(stream, context) },
      },
    ]);
    return sds;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
  }

  async #serve(stream: ByteStream, context: CallContext): Promise<void> {
    const session = new SecretSession();
    const ended = new AbortController();
    const requests = async (): Promise<void> => {
      try {
        await this.#receive(session, stream, context.signal);
      } finally {
        ended.abort();
      }
    };
    const changes = async (): Promise<void> => {
      for await (const _ of this.#secrets.changes(AbortSignal.any([context.signal, ended.signal]))) {
        await this.#send(session, stream);
      }
    };
    await Promise.all([requests(), changes()]);
  }

  async #receive(session: SecretSession, stream: ByteStream, gone: AbortSignal): Promise<void> {
    let node: string | undefined;
    try {
      for await (const message of stream) {
        const request = decodeRequest(message);
        node ??= request.node?.id;
        if (node === undefined || node === "") {
          throw new GrpcError("INVALID_ARGUMENT", "missing node information");
        }
        const { unknownNames, rejection } = session.receive(request);
        this.#warnOfUnknownNames(unknownNames, node);
        if (rejection !== undefined) {
          this.#rejections.inc();
          this.#log.warn("Envoy refused a secret", { node, reason: rejection });
        }
        await this.#send(session, stream);
      }
    } catch (error) {
      // An Envoy that goes away breaks its stream; nobody is left to hear of it.
      if (!gone.aborted) throw error;
    }
  }

  async #send(session: SecretSession, stream: ByteStream): Promise<void> {
    const due = session.due(this.#secrets.current);
    if (due.length === 0) return;
    const nonce = randomUUID();
    this.#versions += 1;
    const response = create(DiscoveryResponseSchema, {
      versionInfo: `${new Date().toISOString()}/${this.#versions}`,
      typeUrl: typeUrl.secret,
      nonce,
      resources: due.map(({ bytes }) => ({ typeUrl: typeUrl.secret, value: bytes })),
    });
    session.sent(due, nonce);
    for (const { name } of due) {
      this.#pushes.inc({ resource_name: name });
      this.#log.info("secret sent to Envoy", { resource: name });
    }
    await stream.write(toBinary(DiscoveryResponseSchema, response));
  }

  #warnOfUnknownNames(names: readonly string[], node: string): void {
    for (const name of names) {
      if (this.#unknownNames.has(name)) continue;
      this.#unknownNames.add(name);
      this.#log.warn("Envoy asks for a secret that does not exist here; it gets no answer", {
        resource: name,
        node,
        remedy: "the agent serves default and ROOTCA: name one of them in the listener or cluster that asks",
      });
    }
  }
}

function decodeRequest(message: Buffer): DiscoveryRequest {
  let request: DiscoveryRequest;
  try {
    request = fromBinary(DiscoveryRequestSchema, message, { readUnknownFields: false });
  } catch (error) {
    throw new GrpcError("INVALID_ARGUMENT", `not a DiscoveryRequest: ${errorMessage(error)}`);
  }
  // A service for one type may leave its URL out (xDS protocol, "Singleton xDS APIs").
  if (request.typeUrl !== "" && request.typeUrl !== typeUrl.secret) {
    throw new GrpcError("INVALID_ARGUMENT", `${request.typeUrl} is not served here, only ${typeUrl.secret}`);
  }
  return request;
}
