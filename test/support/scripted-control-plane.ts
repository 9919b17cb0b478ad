/** A control plane of which a test says each resource, whether Envoy can use it or not. */
import { createHash } from "node:crypto";
import type { ByteStream } from "../../src/grpc/channel.ts";
import { GrpcServer } from "../../src/grpc/server.ts";
import {
  deltaProtocol,
  type ServerProtocol,
  sotwProtocol,
  type Subscription,
} from "../../src/controlplane/push/protocol.ts";
import { Layer, ResourceSet } from "../../src/controlplane/push/layer.ts";
import type { VersionedResource } from "../../src/xds/delta-subscription.ts";

/** Resources by type URL and name. */
export type ScriptedResources = Readonly<Record<string, Readonly<Record<string, Uint8Array>>>>;

/** A refusal that it was told of. */
export interface HeardRefusal {
  readonly typeUrl: string;
  readonly error: string;
}

const noncePrefix = "plane-";

interface Served {
  readonly stream: ByteStream;
  readonly protocol: ServerProtocol;
  readonly subscriptions: Map<string, Subscription>;
  readonly end: () => void;
}

export class ScriptedControlPlane implements AsyncDisposable {
  readonly refusals: HeardRefusal[] = [];
  /** Nonces that it was answered, and never gave. */
  readonly foreignNonces: string[] = [];
  /** How often each nonce that it gave was answered. */
  readonly answers = new Map<string, number>();
  readonly #streams = new Set<Served>();
  readonly #types = new Map<string, Map<string, VersionedResource>>();
  #server: GrpcServer | undefined;
  #version = 0;
  #nonce = 0;

  static async listen(resources: ScriptedResources, port = 0): Promise<ScriptedControlPlane> {
    const plane = new ScriptedControlPlane();
    plane.#take(resources);
    const serve = (protocol: ServerProtocol) => (stream: ByteStream) => plane.#serve(stream, protocol);
    plane.#server = await GrpcServer.listen({ host: "127.0.0.1", port }, [
      {
        name: "envoy.service.discovery.v3.AggregatedDiscoveryService",
        streams: {
          DeltaAggregatedResources: serve(deltaProtocol),
          StreamAggregatedResources: serve(sotwProtocol),
        },
      },
    ]);
    return plane;
  }

  get port(): number {
    return this.#server?.port ?? 0;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Every resource of the types that are given is replaced, and what changed is pushed. */
  push(resources: ScriptedResources): void {
    this.#take(resources);
    for (const type of Object.keys(resources))
      for (const served of this.#streams) this.#respond(served, type, false);
  }

  /** End every stream, as a control plane does that is replaced. */
  disconnect(): void {
    for (const { end } of this.#streams) end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
  }

  #take(resources: ScriptedResources): void {
    this.#version += 1;
    for (const [type, byName] of Object.entries(resources)) {
      const entries = Object.entries(byName).map(([name, bytes]): [string, VersionedResource] => {
        const version = createHash("sha256").update(bytes).digest("hex").slice(0, 8);
        return [name, { name, version, bytes }];
      });
      this.#types.set(type, new Map(entries));
    }
  }

  async #serve(stream: ByteStream, protocol: ServerProtocol): Promise<void> {
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const served: Served = { stream, protocol, subscriptions: new Map(), end };
    this.#streams.add(served);
    try {
      await Promise.race([this.#answer(served), ended]);
    } finally {
      this.#streams.delete(served);
    }
  }

  async #answer(served: Served): Promise<void> {
    const { stream, protocol, subscriptions } = served;
    for await (const message of stream) {
      const request = protocol.decode(message);
      if (request.nonce !== "" && !request.nonce.startsWith(noncePrefix))
        this.foreignNonces.push(request.nonce);
      const answers = this.answers.get(request.nonce);
      if (answers !== undefined) this.answers.set(request.nonce, answers + 1);
      if (request.error !== undefined) this.refusals.push({ typeUrl: request.typeUrl, error: request.error });
      const subscription = subscriptions.get(request.typeUrl) ?? protocol.subscribe(request.typeUrl);
      subscriptions.set(request.typeUrl, subscription);
      if (request.apply(subscription)) this.#respond(served, request.typeUrl, true);
    }
  }

  #respond({ stream, subscriptions }: Served, url: string, force: boolean): void {
    const resources = this.#types.get(url);
    const offered = new ResourceSet([new Layer(resources ?? new Map())]);
    const response = subscriptions.get(url)?.respond(offered, { force, keepsGone: false });
    if (resources === undefined || response === undefined) return;
    this.#nonce += 1;
    const nonce = `${noncePrefix}${this.#nonce}`;
    this.answers.set(nonce, 0);
    stream.enqueue(Buffer.from(response.encode(url, String(this.#version), nonce, "scripted")));
    response.sent(nonce);
  }
}
