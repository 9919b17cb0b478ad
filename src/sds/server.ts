/**
 * Envoy's secret discovery service on a Unix socket (Envoy's SDS documentation), state of the world.
 *
 * One loop per stream: a request or a new secret comes in; decide; send. A name that has no secret yet is
 * answered on the same stream when it has one.
 */
import { randomUUID } from "node:crypto";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { ByteStream } from "../grpc/channel.ts";
import { GrpcError } from "../grpc/grpc-error.ts";
import { type CallContext, GrpcServer } from "../grpc/server.ts";
import type { ReadonlyWatch } from "../lifecycle/watch.ts";
import { TaskGroup } from "../lifecycle/task-group.ts";
import {
  DiscoveryRequestSchema,
  type DiscoveryRequest,
  DiscoveryResponseSchema,
} from "../proto/agent/discovery_pb.js";
import type { Logger } from "../telemetry/log.ts";
import { SotwSubscription } from "../xds/sotw-subscription.ts";
import { typeUrl } from "../xds/type-urls.ts";
import { encodeSecret, isKnownSecret, type SdsSecrets } from "./secrets.ts";

/** The socket. */
export interface SdsOptions {
  readonly path: string;
  readonly mode: number;
}

/** What is served and where the server reports. */
export interface SdsDependencies {
  readonly secrets: ReadonlyWatch<SdsSecrets>;
  readonly log: Logger;
}

/** The server; bound when `listen` resolves. */
export class SdsServer implements AsyncDisposable {
  readonly #server: GrpcServer;

  private constructor(server: GrpcServer) {
    this.#server = server;
  }

  /** @throws Error that names the socket when it cannot be bound */
  static async listen(options: SdsOptions, deps: SdsDependencies): Promise<SdsServer> {
    const service = {
      name: "envoy.service.secret.v3.SecretDiscoveryService",
      streams: {
        StreamSecrets: (stream: ByteStream, context: CallContext) =>
          new SecretStream(stream, deps).serve(context.signal),
      },
    };
    return new SdsServer(await GrpcServer.listen(options, [service]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}

class SecretStream {
  readonly #stream: ByteStream;
  readonly #secrets: ReadonlyWatch<SdsSecrets>;
  readonly #log: Logger;
  readonly #subscription = new SotwSubscription(false);
  /** What each name was last answered with. */
  readonly #sent = new Map<string, Uint8Array>();
  readonly #refused = new Set<string>();
  #version = 0;

  constructor(stream: ByteStream, { secrets, log }: SdsDependencies) {
    this.#stream = stream;
    this.#secrets = secrets;
    this.#log = log;
  }

  async serve(gone: AbortSignal): Promise<void> {
    await using tasks = new TaskGroup();
    gone.addEventListener("abort", () => void tasks[Symbol.asyncDispose]());
    tasks.spawn("push-secrets", (signal) => this.#push(signal));
    let nodeKnown = false;
    for await (const message of this.#stream) {
      const request = fromBinary(DiscoveryRequestSchema, message);
      nodeKnown ||= request.node !== undefined && request.node.id !== "";
      if (!nodeKnown) throw new GrpcError("INVALID_ARGUMENT", "missing node information");
      await this.#receive(request);
    }
  }

  async #push(signal: AbortSignal): Promise<void> {
    for await (const _ of this.#secrets.changes(signal)) await this.#send("changed");
  }

  async #receive(request: DiscoveryRequest): Promise<void> {
    if (request.typeUrl !== "" && request.typeUrl !== typeUrl.secret) {
      throw new GrpcError("INVALID_ARGUMENT", `this service has secrets only, not ${request.typeUrl}`);
    }
    const verdict = this.#subscription.receive(request);
    switch (verdict.kind) {
      case "respond":
        this.#refuseUnknown();
        await this.#send("asked");
        return;
      case "nack":
        this.#log.warn("Envoy refused a secret", {
          names: request.resourceNames.join(","),
          reason: verdict.message,
        });
        return;
      case "ack":
      case "stale":
    }
  }

  /** Answer every wanted name that has a secret: those that were asked for, or those that changed. */
  async #send(why: "asked" | "changed"): Promise<void> {
    const resources = [...this.#subscription.names].flatMap((name) => {
      const value = encodeSecret(name, this.#secrets.current);
      if (value === undefined) return [];
      const previous = this.#sent.get(name);
      if (why === "changed" && previous !== undefined && Buffer.compare(previous, value) === 0) return [];
      this.#sent.set(name, value);
      return [{ typeUrl: typeUrl.secret, value }];
    });
    if (resources.length === 0) return;
    this.#version += 1;
    const nonce = randomUUID();
    this.#subscription.sent(nonce);
    const response = create(DiscoveryResponseSchema, {
      versionInfo: `${new Date().toISOString()}/${this.#version}`,
      typeUrl: typeUrl.secret,
      nonce,
      resources,
    });
    await this.#stream.write(toBinary(DiscoveryResponseSchema, response));
  }

  #refuseUnknown(): void {
    for (const name of this.#subscription.names) {
      if (isKnownSecret(name) || this.#refused.has(name)) continue;
      this.#refused.add(name);
      this.#log.warn("Envoy asks for a secret that the agent does not have", {
        resource: name,
        remedy:
          "the agent serves default and ROOTCA: look at the credential names in the control plane's configuration",
      });
    }
  }
}
