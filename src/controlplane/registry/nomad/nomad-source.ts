/**
 * The services that Nomad's own provider knows, as a source.
 *
 * The event stream is opened first and everything is listed then, so that nothing that changes between is missed; after that
 * each change is an event. A stream that ends begins this anew.
 */
import { isDeepStrictEqual } from "node:util";
import { sleep } from "../../../lifecycle/sleep.ts";
import { TaskGroup } from "../../../lifecycle/task-group.ts";
import { severalAtOnce } from "../../../lifecycle/several-at-once.ts";
import { type ReadonlyWatch, Watch } from "../../../lifecycle/watch.ts";
import type { Logger } from "../../../telemetry/log.ts";
import type { ConfigSource, SourceState } from "../source.ts";
import type { SourceHealth } from "../source-health.ts";
import { doubted, RegistryProgress } from "../registry-progress.ts";
import { AllocationChecks } from "./allocation-checks.ts";
import { openEvents } from "./event-stream.ts";
import { ask, NomadError, type NomadTarget } from "./nomad-api.ts";
import {
  type Change,
  readChange,
  readLostAllocations,
  readRegistrations,
  readServiceNames,
  type Registration,
} from "./registrations.ts";
import { serviceEntries } from "./service-entries.ts";

/** What a source needs of the rest. */
export interface NomadSourceContext {
  readonly log: Logger;
  /** Between two looks at the checks of allocations, in milliseconds; 5 s unless told. */
  readonly checksEveryMs?: number;
}

/** What changes together is one state, in milliseconds. */
const quietMs = 100;

/** Services that are asked for at once. */
const mostQuestions = 8;

/** Follows Nomad until disposed. */
export class NomadSource implements ConfigSource, AsyncDisposable {
  readonly name = "nomad";
  readonly #target: NomadTarget;
  readonly #progress: RegistryProgress;
  readonly #changes = new Watch(0);
  readonly #checks: AllocationChecks;
  readonly #tasks = new TaskGroup();
  #registrations = new Map<string, Registration>();
  #lost = new Set<string>();
  /** All is known, and each change is told. */
  #isOpen = false;

  private constructor(target: NomadTarget, { log }: NomadSourceContext) {
    this.#target = target;
    const { url } = target;
    this.#progress = new RegistryProgress({ title: "Nomad", source: `nomad ${url}`, url, log });
    const { signal } = this.#tasks;
    this.#checks = new AllocationChecks(async (id) => {
      const path = `/v1/allocation/${encodeURIComponent(id)}/checks`;
      return (await ask(target, path, {}, signal)).body;
    });
  }

  /** Resolves when Nomad has said what it has, or when it is known that it does not. */
  static async open(target: NomadTarget, context: NomadSourceContext): Promise<NomadSource> {
    const source = new NomadSource(target, context);
    const first = Promise.withResolvers<void>();
    source.#tasks.spawn("follow-nomad", (signal) => source.#follow(first.resolve, signal));
    source.#tasks.spawn("publish-nomad", (signal) => source.#publishChanges(signal));
    source.#tasks.spawn("look-at-checks", (signal) =>
      source.#lookAtChecks(context.checksEveryMs ?? 5_000, signal),
    );
    await first.promise;
    return source;
  }

  get states(): ReadonlyWatch<SourceState> {
    return this.#progress.states;
  }

  readonly health = (): SourceHealth => this.#progress.health();

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tasks[Symbol.asyncDispose]();
  }

  async #follow(told: () => void, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#once(told, signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#isOpen = false;
        // A server that is started anew is gone for a moment: that is nothing to tell, but at the start.
        const pauseMs = this.#progress.failed(error, this.#progress.hasAnswered ? 2 : 1);
        told();
        await sleep(pauseMs, signal);
      }
    }
  }

  async #once(told: () => void, signal: AbortSignal): Promise<void> {
    using stream = await openEvents(this.#target, signal);
    await this.#list(signal);
    this.#isOpen = true;
    await this.#publish();
    this.#progress.answered();
    told();
    for await (const events of stream.batches()) {
      for (const event of events) {
        const change = readChange(event);
        if (change !== undefined) this.#apply(change);
      }
      this.#changes.set(this.#changes.current + 1);
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { namespace } = this.#target;
    const { body, index } = await ask(this.#target, "/v1/services", { namespace }, signal);
    const names = readServiceNames(body);
    if (names === undefined) throw unusable("no list of services");
    const listed = await severalAtOnce(names, mostQuestions, async (service) => {
      const path = `/v1/service/${encodeURIComponent(service.name)}`;
      const answer = await ask(this.#target, path, { namespace: service.namespace }, signal);
      const registrations = readRegistrations(answer.body);
      if (registrations === undefined) throw unusable("no list of a service's instances");
      return registrations;
    });
    const allocations = await ask(
      this.#target,
      "/v1/allocations",
      { namespace, task_states: "false" },
      signal,
    );
    const lost = readLostAllocations(allocations.body);
    if (lost === undefined) throw unusable("no list of allocations");
    const registrations = new Map(listed.flat().map((registration) => [registration.id, registration]));
    if (
      this.#progress.isDoubted(index) &&
      [...this.#registrations.keys()].some((id) => !registrations.has(id))
    )
      throw new NomadError("UNUSABLE", `has begun anew and shows less than before: ${doubted}`);
    this.#registrations = registrations;
    this.#lost = new Set(lost);
    this.#progress.taken(index);
  }

  #apply(change: Change): void {
    switch (change.kind) {
      case "registered":
        this.#registrations.set(change.registration.id, change.registration);
        return;
      case "deregistered":
        this.#registrations.delete(change.id);
        return;
      case "allocation":
        if (change.isLost) this.#lost.add(change.id);
        else this.#lost.delete(change.id);
    }
  }

  async #publishChanges(signal: AbortSignal): Promise<void> {
    for await (const change of this.#changes.changes(signal)) {
      if (change === 0) continue;
      await sleep(quietMs, signal);
      if (this.#isOpen && !signal.aborted) await this.#publish();
    }
  }

  async #lookAtChecks(everyMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(everyMs, signal);
      if (signal.aborted || !this.#isOpen) continue;
      if (await this.#look(true)) this.#changes.set(this.#changes.current + 1);
    }
  }

  async #publish(): Promise<void> {
    await this.#look(false);
    const { objects, problems } = serviceEntries(
      [...this.#registrations.values()],
      (registration) => !this.#lost.has(registration.allocation) && this.#checks.isWell(registration),
    );
    const state: SourceState = { kind: "read", objects, problems };
    const { states } = this.#progress;
    if (!isDeepStrictEqual(state, states.current)) states.set(state);
  }

  async #look(all: boolean): Promise<boolean> {
    try {
      return await this.#checks.look(this.#registrations.values(), all);
    } catch (error) {
      if (this.#tasks.signal.aborted) return false;
      throw error;
    }
  }
}

function unusable(what: string): NomadError {
  return new NomadError("UNUSABLE", `answered with what is ${what}. Is this Nomad?`);
}
