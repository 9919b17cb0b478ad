/**
 * The models that proxies are served: the configuration's, with the mesh's roots, and with what the proxies say of their workloads'
 * health.
 */
import { TaskGroup } from "../../lifecycle/task-group.ts";
import { type ReadonlyWatch, Watch } from "../../lifecycle/watch.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { PublishedModel } from "../model/configured-models.ts";
import { isEndpointOf, type ReducedServices, withUnhealthy } from "../model/health.ts";
import type { Endpoint, Model } from "../model/model.ts";
import type { Proxy } from "../model/proxy.ts";

/** A workload that takes no traffic, by the proxy's ID. */
interface UnhealthyWorkload {
  readonly proxy: Proxy;
  readonly reason: string;
}

/** Follows the configuration until disposed. */
export class ServedModels implements AsyncDisposable {
  readonly #configured: ReadonlyWatch<PublishedModel>;
  readonly #models: Watch<PublishedModel>;
  readonly #roots: ReadonlyWatch<readonly string[]>;
  readonly #log: Logger;
  readonly #tasks = new TaskGroup();
  #rooted: { readonly of: Model; readonly model: Model } | undefined;
  /** Stays when a proxy goes away: that it is gone makes its workload no better. */
  readonly #unhealthy = new Map<string, UnhealthyWorkload>();
  readonly #reduced: ReducedServices = new WeakMap();

  /** @param roots of the mesh, each as PEM */
  constructor(
    configured: ReadonlyWatch<PublishedModel>,
    log: Logger,
    roots: ReadonlyWatch<readonly string[]> = new Watch([]),
  ) {
    this.#configured = configured;
    this.#roots = roots;
    this.#models = new Watch({ number: 1, model: this.#configuredModel() });
    this.#log = log;
    this.#tasks.spawn("follow-roots", async (signal) => {
      for await (const _ of roots.changes(signal)) this.#publish();
    });
    this.#tasks.spawn("follow-configuration", async (signal) => {
      for await (const _ of configured.changes(signal)) this.#publish();
    });
  }

  get models(): ReadonlyWatch<PublishedModel> {
    return this.#models;
  }

  /** Why a proxy's workload takes no traffic; undefined when it does. */
  unhealthy(proxyId: string): string | undefined {
    return this.#unhealthy.get(proxyId)?.reason;
  }

  /** A proxy says how its workload is, whatever was said of it before; without a reason it is healthy. */
  reportHealth(proxy: Proxy, reason: string | undefined): void {
    const endpoints = this.#endpoints.filter((endpoint) => isEndpointOf(endpoint, proxy));
    const before = [...this.#unhealthy].filter(
      ([id, said]) => id === proxy.id || endpoints.some((endpoint) => isEndpointOf(endpoint, said.proxy)),
    );
    if (before.length === 0 && endpoints.length === 0) return;
    for (const [id] of before) this.#unhealthy.delete(id);
    // Who speaks for no endpoint is not remembered.
    if (reason !== undefined && endpoints.length > 0) this.#unhealthy.set(proxy.id, { proxy, reason });
    const isKnown = before.length === 1 && before[0]?.[0] === proxy.id;
    if (isKnown ? reason !== undefined : before.length === 0 && reason === undefined) return;
    this.#log.info(reason === undefined ? "workload is healthy" : "workload is unhealthy", {
      proxy: proxy.id,
      reason,
    });
    this.#publish();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tasks[Symbol.asyncDispose]();
  }

  get #endpoints(): readonly Endpoint[] {
    return this.#configured.current.model.services.flatMap((service) => service.endpoints);
  }

  /** With the roots; the last one itself where neither is other. */
  #configuredModel(): Model {
    const { model } = this.#configured.current;
    const trustBundle = this.#roots.current;
    if (this.#rooted?.of !== model || this.#rooted.model.trustBundle !== trustBundle)
      this.#rooted = { of: model, model: trustBundle.length === 0 ? model : { ...model, trustBundle } };
    return this.#rooted.model;
  }

  #publish(): void {
    const model = this.#configuredModel();
    const endpoints = this.#unhealthy.size === 0 ? [] : this.#endpoints;
    for (const [id, { proxy }] of this.#unhealthy) {
      if (!endpoints.some((endpoint) => isEndpointOf(endpoint, proxy))) this.#unhealthy.delete(id);
    }
    const served = withUnhealthy(
      model,
      [...this.#unhealthy.values()].map(({ proxy }) => proxy),
      this.#reduced,
    );
    const { number, model: before } = this.#models.current;
    if (served !== before) this.#models.set({ number: number + 1, model: served });
  }
}
