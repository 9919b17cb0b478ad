/**
 * Consul's catalog as a source of services.
 *
 * One question is open at a time, for everything that there is: whatever changes is one answer, however many services
 * there are. The documented API would need a question for each service.
 */
import { isDeepStrictEqual } from "node:util";
import { isMapping } from "../../../document/mapping.ts";
import { sleep } from "../../../lifecycle/sleep.ts";
import { TaskGroup } from "../../../lifecycle/task-group.ts";
import type { ReadonlyWatch } from "../../../lifecycle/watch.ts";
import type { Logger } from "../../../telemetry/log.ts";
import type { ConfigSource, SourceState } from "../source.ts";
import type { SourceHealth } from "../source-health.ts";
import { doubted, registryBackoff, RegistryProgress } from "../registry-progress.ts";
import { ask, type ConsulAnswer, ConsulError, type ConsulTarget, nextIndex } from "./blocking-query.ts";
import { type Instance, readCatalog } from "./catalog.ts";
import { serviceEntries } from "./service-entries.ts";

/** What was known last. */
interface Known {
  readonly instances: readonly Instance[];
  readonly datacenter: string;
  readonly isFiltered: boolean;
}

/** What a source needs of the rest. */
export interface ConsulSourceContext {
  readonly log: Logger;
}

/** Nodes with their services and checks; Consul's own page of nodes stands on it. */
const everything = "/v1/internal/ui/nodes";

/** Between an answer and the next question, in milliseconds: what changes meanwhile is one answer. */
const quietMs = 100;

/** The same after an answer that said nothing new, which something between that does not wait may give at any rate. */
const unchangedMs = 1_000;

/** Follows Consul until disposed. */
export class ConsulSource implements ConfigSource, AsyncDisposable {
  readonly name = "consul";
  readonly #target: ConsulTarget;
  readonly #progress: RegistryProgress;
  readonly #tasks = new TaskGroup();
  #known: Known | undefined;
  #index = 0;

  private constructor(target: ConsulTarget, { log }: ConsulSourceContext) {
    this.#target = target;
    const { url } = target;
    this.#progress = new RegistryProgress({ title: "Consul", source: `consul ${url}`, url, log });
  }

  /** Resolves when Consul has answered for the first time, or when it is known that it does not. */
  static async open(target: ConsulTarget, context: ConsulSourceContext): Promise<ConsulSource> {
    const source = new ConsulSource(target, context);
    await source.#once(source.#tasks.signal, 1);
    source.#tasks.spawn("follow-consul", (signal) => source.#follow(signal));
    return source;
  }

  get states(): ReadonlyWatch<SourceState> {
    return this.#progress.states;
  }

  readonly health = (): SourceHealth => this.#progress.health();

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tasks[Symbol.asyncDispose]();
  }

  async #follow(signal: AbortSignal): Promise<void> {
    let pauseMs = this.#progress.failures === 0 ? quietMs : registryBackoff.initialMs;
    while (!signal.aborted) {
      await sleep(pauseMs, signal);
      // An agent that is started anew is gone for a moment: that is nothing to tell.
      pauseMs = await this.#once(signal, 2);
    }
  }

  /**
   * One question.
   *
   * @param toldFrom the failure in a row from which on it is told
   * @returns milliseconds until the next
   */
  async #once(signal: AbortSignal, toldFrom: number): Promise<number> {
    const asked = this.#index;
    try {
      const answer = await ask(this.#target, { path: everything, index: asked }, signal);
      const isNew = answer.index !== asked;
      if (isNew || this.#progress.failures > 0) await this.#take(answer, signal);
      this.#index = nextIndex(asked, answer.index);
      this.#progress.answered();
      return isNew ? quietMs : unchangedMs;
    } catch (error) {
      if (signal.aborted) return 0;
      // What it says first when it is back is everything.
      this.#index = 0;
      return this.#progress.failed(error, toldFrom);
    }
  }

  async #take(answer: ConsulAnswer, signal: AbortSignal): Promise<void> {
    const instances = readCatalog(answer.body);
    if (instances === undefined)
      throw new ConsulError("UNUSABLE", "answered with what is no list of nodes. Is this Consul?");
    const before = this.#known;
    const { isFiltered } = answer;
    if (isFiltered && before?.isFiltered === false && hasLost(before.instances, instances))
      throw new ConsulError(
        "REFUSED",
        "shows less than before, as its token may not read all: let it read nodes and services, or restart the control plane to go on with what is shown",
      );
    if (
      before !== undefined &&
      this.#progress.isDoubted(answer.index) &&
      hasLostInstances(before.instances, instances)
    )
      throw new ConsulError(
        "UNUSABLE",
        `has begun anew and shows less than before: agents tell it again what they have, and ${doubted}`,
      );
    const datacenter = before?.datacenter || (await this.#datacenterOf(instances, signal));
    this.#known = { instances, datacenter, isFiltered };
    this.#progress.taken(answer.index);
    const isSame = before !== undefined && isDeepStrictEqual(before.instances, instances);
    const { states } = this.#progress;
    if (isSame && states.current.kind === "read") return;
    states.set({ kind: "read", ...serviceEntries(instances, datacenter) });
  }

  /** The catalog does not name its datacentre, but its nodes one by one do. */
  async #datacenterOf([first]: readonly Instance[], signal: AbortSignal): Promise<string> {
    const { datacenter } = this.#target;
    if (datacenter !== undefined || first === undefined) return datacenter ?? "";
    const path = `/v1/catalog/node/${encodeURIComponent(first.node)}`;
    const { body } = await ask(this.#target, { path, index: 0 }, signal);
    const node = isMapping(body) ? body["Node"] : undefined;
    const name = isMapping(node) ? node["Datacenter"] : undefined;
    return typeof name === "string" ? name : "";
  }
}

/** True when a service that was there is not. */
function hasLost(before: readonly Instance[], now: readonly Instance[]): boolean {
  const names = new Set(now.map(({ service }) => service));
  return before.some(({ service }) => !names.has(service));
}

/** True when an instance that was there is not. */
function hasLostInstances(before: readonly Instance[], now: readonly Instance[]): boolean {
  const key = ({ service, node, id }: Instance): string => `${service}\0${node}\0${id}`;
  const keys = new Set(now.map(key));
  return before.some((instance) => !keys.has(key(instance)));
}
