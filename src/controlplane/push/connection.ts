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
import { textAt } from "../../lifecycle/json-path.ts";
import { TaskGroup } from "../../lifecycle/task-group.ts";
import { Timer } from "../../lifecycle/timer.ts";
import type { MemoryRelease } from "../../process/memory-release.ts";
import type { Logger } from "../../telemetry/log.ts";
import { typeUrl as types } from "../../xds/type-urls.ts";
import type { BindingPolicy, Peer } from "../model/bind-proxy.ts";
import { type NodeFacts, parseProxy, type Proxy, whyNoListener } from "../model/proxy.ts";
import type { PushMetrics } from "./metrics.ts";
import type { Request, ResponseOptions, ServerProtocol, Subscription } from "./protocol.ts";
import type { ServedModels } from "./served-models.ts";
import { Answers } from "./answers.ts";
import { type BindingContext, type Bound, takeBound } from "./bound-snapshot.ts";
import type { MachineRegistry, RegisteredMachine } from "../model/machine-of.ts";
import { registerMachine } from "./register-machine.ts";
import { identifierOf } from "./debug-stream.ts";
import { OtherRequests, type OtherRequestsContext } from "./other-requests.ts";
import { Layer, ResourceSet } from "./layer.ts";
import { Refusals, type RefusalsContext } from "./refusals.ts";
import { WorkloadReports } from "./workload-reports.ts";
import { inPlaceOfUnknown, pushOrder, type ResourcesByType } from "./snapshot.ts";
import type { ConnectionTable } from "./status.ts";
import type { ProxyTranslation, Snapshot, Translations } from "./translations.ts";

/** What every connection shares. */
export interface ConnectionContext extends RefusalsContext, OtherRequestsContext {
  readonly served: ServedModels;
  readonly connections: ConnectionTable;
  readonly metrics: PushMetrics;
  /** Told how much each proxy was sent that is gone. */
  readonly release: Pick<MemoryRelease, "passed">;
  readonly translations: Translations;
  readonly log: Logger;
  readonly peer: Peer;
  readonly policy: BindingPolicy;
  readonly machines: MachineRegistry;
}

/** Longest text of a proxy's metadata that is shown, in characters. */
const mostTold = 256;

/** What is referred to: it is sent first, and is in use before the rest follows. */
const referredTo: readonly string[] = [types.cluster, types.endpoint, types.extension];

/** Not extensions: connections that a listener drains pass theirs to the end, and would be answered with 500 without it. */
const takenAway: readonly string[] = [types.cluster, types.endpoint];

/** What refers to clusters. */
const referring: readonly string[] = [types.listener, types.route];

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
  const others = new OtherRequests(protocol, stream, context);
  for await (const message of stream) {
    context.metrics.request(message.length);
    const request = decode(protocol, message);
    if (await others.answers(request, tasks)) {
      firstRequest.cancel();
      continue;
    }
    if (connection === undefined) {
      firstRequest.cancel();
      connection = await Connection.open(protocol, stream, context, request);
      tasks.spawn("push", (signal) => connection?.follow(signal) ?? Promise.resolve());
    }
    await connection.receive(request, tasks);
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

function identify(request: Request): Proxy {
  const proxy = request.node === undefined ? undefined : parseProxy(request.node);
  if (proxy === undefined) {
    throw new GrpcError(
      "INVALID_ARGUMENT",
      "the first request must carry a node ID <type>~<ip>~<name>.<namespace>~<domain>",
    );
  }
  return proxy;
}

function bindingOf({ served, peer, policy }: ConnectionContext): BindingContext {
  return { models: served.models, peer, policy };
}

class Connection {
  readonly #protocol: ServerProtocol;
  readonly #stream: ByteStream;
  readonly #context: ConnectionContext;
  readonly #said: Proxy;
  readonly #machine: RegisteredMachine | undefined;
  readonly #reports: WorkloadReports;
  #bound: Bound;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #answers = new Answers();
  readonly #refusals: Refusals;
  /** Clusters that were sent, whose endpoints were not sent since. */
  readonly #withoutEndpoints = new Set<string>();
  /** In place of endpoints that the proxy asked for and that are not there. */
  #unknown = new Layer(new Map());
  /** Listeners and routes that belong to the clusters sent last are still to come. */
  #isPushing = false;
  /** Types whose newest request is answered when the clusters sent last are taken. */
  readonly #awaitingClusters = new Set<string>();
  /** How many requests have waited so. */
  #answered = 0;
  readonly #entry: Disposable;
  #sentBytes = 0;
  readonly #translation: ProxyTranslation;
  #snapshot: Snapshot;

  private constructor(
    protocol: ServerProtocol,
    stream: ByteStream,
    context: ConnectionContext,
    proxy: {
      readonly said: Proxy;
      readonly machine: RegisteredMachine | undefined;
      readonly metadata: NodeFacts["metadata"];
      readonly bound: Bound;
      readonly translation: ProxyTranslation;
      readonly snapshot: Snapshot;
    },
  ) {
    const { said, machine, metadata, bound, translation, snapshot } = proxy;
    this.#protocol = protocol;
    this.#stream = stream;
    this.#context = context;
    this.#said = said;
    this.#machine = machine;
    this.#reports = new WorkloadReports(said.id, machine, context);
    this.#bound = bound;
    this.#translation = translation;
    this.#snapshot = snapshot;
    this.#refusals = new Refusals(said.id, context, () => this.#snapshot);
    const connectedAt = new Date().toISOString();
    const told = (name: string): string => textAt(metadata, name)?.slice(0, mostTold) ?? "";
    this.#entry = context.connections.add({
      sync: () => ({
        proxy: said.id,
        name: said.idNamespace === "" ? said.name : `${said.name}.${said.idNamespace}`,
        cluster: told("CLUSTER_ID"),
        version: told("ISTIO_VERSION"),
        protocol: protocol.name,
        connectedAt,
        types: this.#refusals.toldWith(this.#answers.list()),
        unhealthy: this.#reports.unhealthy,
      }),
      resources: () => this.#wanted(),
    });
    context.log.info("proxy connected", { proxy: said.id, protocol: protocol.name });
    if (snapshot.resources.get(types.listener)?.isEmpty !== false)
      context.log.warn("a proxy has no listener", { proxy: said.id, reason: whyNoListener(bound.proxy) });
  }

  /**
   * For whoever the first request says it is; `follow` ends it.
   *
   * @throws GrpcError when it may not act as that proxy
   */
  static async open(
    protocol: ServerProtocol,
    stream: ByteStream,
    context: ConnectionContext,
    request: Request,
  ): Promise<Connection> {
    using opened = new DisposableStack();
    const node = identify(request);
    const binding = bindingOf(context);
    const machine = opened.use(await registerMachine(node, binding, context.machines));
    const said = machine === undefined ? node : { ...node, registeredAs: machine.name };
    const translation = opened.use(context.translations.open());
    const { bound, snapshot } = await takeBound(said, binding, translation);
    const metadata = request.node?.metadata ?? {};
    opened.move();
    return new Connection(protocol, stream, context, {
      said,
      machine,
      metadata,
      bound,
      translation,
      snapshot,
    });
  }

  /** Push each new model until the proxy is gone. */
  async follow(signal: AbortSignal): Promise<void> {
    using _machine = this.#machine;
    using _entry = this.#entry;
    using _translation = this.#translation;
    try {
      for await (const { number } of this.#context.served.models.changes(signal)) {
        if (number === this.#snapshot.number) continue;
        const { bound, snapshot } = await takeBound(this.#said, bindingOf(this.#context), this.#translation);
        this.#bound = bound;
        this.#snapshot = snapshot;
        await this.#push(signal);
      }
    } finally {
      this.#context.release.passed(this.#sentBytes);
      this.#context.log.info("proxy disconnected", { proxy: this.#said.id });
    }
  }

  /** Answer one request. */
  async receive(request: Request, tasks: TaskGroup): Promise<void> {
    const { typeUrl, nonce, error } = request;
    if (typeUrl === types.healthInformation) {
      this.#reports.take(this.#bound.health, error);
      return;
    }
    if (!this.#snapshot.resources.has(typeUrl)) return;
    let subscription = this.#subscriptions.get(typeUrl);
    if (subscription === undefined) {
      subscription = this.#protocol.subscribe(typeUrl);
      this.#subscriptions.set(typeUrl, subscription);
      this.#refusals.subscribed(typeUrl, subscription);
    }
    const isAsked = request.apply(subscription);
    if (nonce !== "") await this.#noteAnswer(typeUrl, nonce, error);
    if (typeUrl === types.endpoint) this.#noteUnknown(request.names, subscription);
    if (isAsked && referring.includes(typeUrl) && this.#answers.isAwaited(types.cluster)) {
      // On a new stream an Envoy that serves asks for all types at once, of which clusters may be others by now. However
      // often it asks, there is one answer for each type: what waits does not grow with what a proxy sends.
      if (!this.#awaitingClusters.has(typeUrl)) this.#answerOnceClustersAreTaken(typeUrl, tasks);
    } else if (isAsked) {
      await this.#respond(typeUrl, { force: true });
      // On a new stream Envoy may have asked for endpoints before it asked for clusters.
      if (typeUrl === types.cluster) await this.#respond(types.endpoint);
    }
    await this.#removeGone();
  }

  /**
   * Make before break. Envoy acknowledges clusters when the last of them is warm (ClusterManagerImpl's
   * `updateClusterCounts`): a route that leads to one before that fails requests.
   */
  async #push(signal: AbortSignal): Promise<void> {
    this.#isPushing = true;
    for (const typeUrl of referredTo) await this.#respond(typeUrl);
    await this.#answers.wait(types.cluster, signal);
    if (signal.aborted) return;
    for (const typeUrl of pushOrder) if (!referredTo.includes(typeUrl)) await this.#respond(typeUrl);
    this.#isPushing = false;
    await this.#removeGone();
  }

  #answerOnceClustersAreTaken(typeUrl: string, tasks: TaskGroup): void {
    this.#awaitingClusters.add(typeUrl);
    this.#answered += 1;
    tasks.spawn(`answer-${this.#answered}`, async (signal) => {
      await this.#answers.wait(types.cluster, signal);
      this.#awaitingClusters.delete(typeUrl);
      if (signal.aborted) return;
      await this.#respond(typeUrl, { force: true });
      await this.#removeGone();
    });
  }

  /** What no listener and no route leads to any more goes last. One that was refused may lead to it still. */
  async #removeGone(): Promise<void> {
    if (
      this.#isPushing ||
      this.#awaitingClusters.size > 0 ||
      !referring.every((typeUrl) => this.#answers.isTaken(typeUrl) && !this.#refusals.hasAny(typeUrl))
    )
      return;
    for (const typeUrl of takenAway) await this.#respond(typeUrl, { keepsGone: false });
  }

  /**
   * A cluster may be gone by the time that its endpoints are asked for, as after a reconnect. Envoy would wait for them
   * for ever, and take no other cluster meanwhile: it is told that there are none, as by Istio.
   */
  #noteUnknown(names: readonly string[], subscription: Subscription): void {
    const known = this.#snapshot.resources.get(types.endpoint);
    const { resources: before } = this.#unknown;
    const unknown = new Map([...before].filter(([name]) => subscription.wants(name)));
    for (const name of names) {
      const empty =
        name === "*" || known?.get(name) !== undefined ? undefined : inPlaceOfUnknown(types.endpoint, name);
      if (empty !== undefined) unknown.set(name, empty);
    }
    if (unknown.size > 0 || before.size > 0) this.#unknown = new Layer(unknown);
  }

  /** Send what is missing of the type, as it is when its turn comes. */
  async #respond(typeUrl: string, how: Partial<ResponseOptions> = {}): Promise<void> {
    if (!this.#subscriptions.has(typeUrl)) return;
    const { translations, metrics } = this.#context;
    const written = await translations.turns.run(() => ({ whole: this.#write(typeUrl, how) }));
    const writtenAt = performance.now();
    if (written.whole === undefined) return;
    await written.whole;
    metrics.sent(performance.now() - writtenAt);
  }

  /** Undefined when nothing is missing. */
  #write(typeUrl: string, how: Partial<ResponseOptions>): Promise<void> | undefined {
    const resources = this.#snapshot.resources.get(typeUrl);
    const subscription = this.#subscriptions.get(typeUrl);
    if (resources === undefined || subscription === undefined) return undefined;
    if (typeUrl === types.endpoint) {
      // Envoy waits for the endpoints of each cluster that changed, and does not ask again for what it asked for.
      subscription.resend(this.#withoutEndpoints);
      this.#withoutEndpoints.clear();
    }
    const keepsGone = referredTo.includes(typeUrl);
    const held = this.#refusals.over(typeUrl, resources);
    const all = typeUrl === types.endpoint ? held.over(this.#unknown) : held;
    const response = subscription.respond(all, { force: false, keepsGone, ...how });
    if (response === undefined) return undefined;
    if (typeUrl === types.cluster) for (const { name } of response.changed) this.#withoutEndpoints.add(name);
    const version = `${new Date().toISOString()}/${this.#snapshot.number}`;
    const nonce = version + randomUUID();
    // Noted before the write: an answer may come while the write still waits.
    response.sent(nonce);
    this.#answers.sent(typeUrl, nonce);
    this.#refusals.sent(typeUrl, nonce, response);
    this.#context.metrics.push(typeUrl);
    const identifier = identifierOf(this.#context.identity);
    const bytes = response.encode(typeUrl, version, nonce, identifier);
    this.#sentBytes += bytes.length;
    return this.#stream.write(bytes);
  }

  async #noteAnswer(typeUrl: string, nonce: string, error: string | undefined): Promise<void> {
    const isExpired = this.#answers.isExpired(typeUrl, nonce);
    this.#answers.answered(typeUrl, nonce, error);
    this.#refusals.answered(typeUrl, nonce, error);
    if (error !== undefined) {
      this.#context.metrics.reject(typeUrl);
      this.#context.log.warn("proxy refused configuration", {
        proxy: this.#said.id,
        type: typeUrl,
        reason: error,
      });
    } else if (isExpired) this.#context.metrics.expired(typeUrl);
    // What was held back until it is known what was refused.
    if (this.#answers.isAwaited(typeUrl) || !this.#refusals.release(typeUrl)) return;
    await this.#respond(typeUrl);
    if (typeUrl === types.cluster) await this.#respond(types.endpoint);
  }

  /** Of what there is for the proxy, what it asked for. */
  #wanted(): ResourcesByType {
    return new Map(
      [...this.#subscriptions].map(([typeUrl, subscription]) => [
        typeUrl,
        this.#snapshot.resources.get(typeUrl)?.only((name) => subscription.wants(name)) ?? new ResourceSet(),
      ]),
    );
  }
}
