/**
 * One proxy's ADS stream.
 *
 * Requests and new models meet in one loop that always sends from the newest snapshot, so a slow proxy never has a
 * queue of old pushes in front of it.
 */
import { randomUUID } from "node:crypto";
import type { ByteStream } from "../../grpc/channel.ts";
import { GrpcError } from "../../grpc/grpc-error.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { TaskGroup } from "../../lifecycle/task-group.ts";
import { Timer } from "../../lifecycle/timer.ts";
import type { Logger } from "../../telemetry/log.ts";
import { typeUrl as types } from "../../xds/type-urls.ts";
import { parseProxy, type Proxy } from "../model/proxy.ts";
import type { PushMetrics } from "./metrics.ts";
import type { Request, ServerProtocol, Subscription } from "./protocol.ts";
import type { ServedModels } from "./served-models.ts";
import { pushOrder, type ResourcesByType, takeSnapshot } from "./snapshot.ts";
import type { ConnectionTable, TypeSync } from "./status.ts";
import type { ToldFaults } from "./told-faults.ts";

/** What every connection shares. */
export interface ConnectionContext {
  readonly served: ServedModels;
  readonly connections: ConnectionTable;
  readonly metrics: PushMetrics;
  readonly faults: ToldFaults;
  readonly log: Logger;
  /** @throws GrpcError when this caller may not act as this proxy */
  readonly authorize: (proxy: Proxy) => void;
}

/** Whoever opens a stream and says nothing is not waited for longer, in milliseconds. */
const firstRequestWithinMs = 30_000;

/** Serve until the proxy goes away. @throws GrpcError */
export async function serveConnection(
  protocol: ServerProtocol,
  stream: ByteStream,
  context: ConnectionContext,
  gone: AbortSignal,
): Promise<void> {
  await using tasks = new TaskGroup();
  gone.addEventListener("abort", () => void tasks[Symbol.asyncDispose]());
  tasks.signal.addEventListener("abort", () => {
    if (tasks.failure === undefined) return;
    // A proxy that comes again is better off than one that hears nothing any more.
    context.log.error("pushes to a proxy failed, it has to connect again", {
      reason: errorMessage(tasks.failure),
    });
    stream.cancel();
  });
  using firstRequest = new Timer(firstRequestWithinMs, () => {
    stream.cancel();
  });
  let connection: Connection | undefined;
  for await (const message of stream) {
    const request = decode(protocol, message);
    if (connection === undefined) {
      firstRequest.cancel();
      connection = new Connection(protocol, stream, context, identify(request, context));
      tasks.spawn("push", (signal) => connection?.follow(signal) ?? Promise.resolve());
    }
    await connection.receive(request);
  }
}

function decode(protocol: ServerProtocol, message: Uint8Array): Request {
  try {
    return protocol.decode(message);
  } catch (error) {
    throw new GrpcError(
      "INVALID_ARGUMENT",
      `the message is no request of ${protocol.name} xDS: ${errorMessage(error)}`,
    );
  }
}

function identify(request: Request, context: ConnectionContext): Proxy {
  const proxy = request.node === undefined ? undefined : parseProxy(request.node);
  if (proxy === undefined) {
    throw new GrpcError(
      "INVALID_ARGUMENT",
      "the first request must carry a node ID <type>~<ip>~<name>.<namespace>~<domain>",
    );
  }
  context.authorize(proxy);
  return proxy;
}

class Connection {
  readonly #protocol: ServerProtocol;
  readonly #stream: ByteStream;
  readonly #context: ConnectionContext;
  readonly #proxy: Proxy;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #sync = new Map<string, TypeSync>();
  readonly #entry: Disposable;
  #snapshot: { readonly number: number; readonly resources: ResourcesByType };

  constructor(protocol: ServerProtocol, stream: ByteStream, context: ConnectionContext, proxy: Proxy) {
    this.#protocol = protocol;
    this.#stream = stream;
    this.#context = context;
    this.#proxy = proxy;
    this.#snapshot = this.#take();
    const connectedAt = new Date().toISOString();
    this.#entry = context.connections.add(() => ({
      proxy: proxy.id,
      protocol: protocol.name,
      connectedAt,
      types: Object.fromEntries(this.#sync),
      unhealthy: context.served.unhealthy(proxy.id),
    }));
    context.log.info("proxy connected", { proxy: proxy.id, protocol: protocol.name });
  }

  /** Push each new model until the proxy is gone. */
  async follow(signal: AbortSignal): Promise<void> {
    using _entry = this.#entry;
    try {
      for await (const { number } of this.#context.served.models.changes(signal)) {
        if (number === this.#snapshot.number) continue;
        this.#snapshot = this.#take(this.#snapshot.resources);
        for (const typeUrl of pushOrder) await this.#respond(typeUrl, false);
      }
    } finally {
      this.#context.log.info("proxy disconnected", { proxy: this.#proxy.id });
    }
  }

  /** Answer one request. */
  async receive(request: Request): Promise<void> {
    const { typeUrl, nonce, error } = request;
    if (typeUrl === types.healthInformation) {
      this.#context.served.reportHealth(this.#proxy, error);
      return;
    }
    if (!this.#snapshot.resources.has(typeUrl)) return;
    let subscription = this.#subscriptions.get(typeUrl);
    if (subscription === undefined) {
      subscription = this.#protocol.subscribe(typeUrl);
      this.#subscriptions.set(typeUrl, subscription);
    }
    if (nonce !== "") this.#noteAnswer(typeUrl, nonce, error);
    if (request.apply(subscription)) await this.#respond(typeUrl, true);
  }

  async #respond(typeUrl: string, force: boolean): Promise<void> {
    const resources = this.#snapshot.resources.get(typeUrl);
    const response = resources && this.#subscriptions.get(typeUrl)?.respond(resources, force);
    if (response === undefined) return;
    const version = `${new Date().toISOString()}/${this.#snapshot.number}`;
    const nonce = version + randomUUID();
    // Noted before the write: an answer may come while the write still waits.
    response.sent(nonce);
    this.#sync.set(typeUrl, { ackedNonce: "", ...this.#sync.get(typeUrl), sentNonce: nonce });
    this.#context.metrics.pushes.inc({ type: typeUrl });
    await this.#stream.write(response.encode(typeUrl, version, nonce));
  }

  #noteAnswer(typeUrl: string, nonce: string, error: string | undefined): void {
    const sync = this.#sync.get(typeUrl) ?? { sentNonce: "", ackedNonce: "" };
    if (error === undefined) {
      this.#sync.set(typeUrl, { sentNonce: sync.sentNonce, ackedNonce: nonce });
      return;
    }
    this.#sync.set(typeUrl, { ...sync, error });
    this.#context.metrics.rejects.inc({ type: typeUrl });
    this.#context.log.warn("proxy refused configuration", {
      proxy: this.#proxy.id,
      type: typeUrl,
      reason: error,
    });
  }

  #take(previous?: ResourcesByType): { readonly number: number; readonly resources: ResourcesByType } {
    const { number, model } = this.#context.served.models.current;
    const { resources, faults } = takeSnapshot(model, this.#proxy, previous);
    this.#context.faults.tell(this.#proxy.id, faults);
    return { number, resources };
  }
}
