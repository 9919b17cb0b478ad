/**
 * Machines that register themselves as a source of WorkloadEntries, as istiod does it: one is there while its proxy is
 * connected, and for a grace after that.
 *
 * What stands for a machine follows its WorkloadGroup: a template that is changed changes it, and a group that is gone takes
 * it along.
 */
import { isDeepStrictEqual } from "node:util";
import { sleep } from "../../../lifecycle/sleep.ts";
import { TaskGroup } from "../../../lifecycle/task-group.ts";
import { Timer } from "../../../lifecycle/timer.ts";
import { type ReadonlyWatch, Watch } from "../../../lifecycle/watch.ts";
import type { Logger } from "../../../telemetry/log.ts";
import type { CounterMetric, Metrics } from "../../../telemetry/metrics.ts";
import type { ConfigObject } from "../../config/objects.ts";
import type { ConfigSource, SourceState } from "../source.ts";
import { readMachines, writeMachines } from "./kept-machines.ts";
import { entryName, entryOf, type Machine, type WorkloadGroup, whyNotOf } from "./machine.ts";

/** How machines are registered. */
export interface AutoRegistrationOptions {
  /** How long a machine that is gone stays, in milliseconds: 10 s in Istio. */
  readonly graceMs: number;
  /** Quiet time after a change, in milliseconds. */
  readonly debounceMs: number;
  /** Keeps them over a restart. */
  readonly file: string;
  /** How long those of the file are waited for, in milliseconds; a minute unless told, and the grace at least. */
  readonly returnMs?: number;
}

/** What is known beside the options. */
export interface AutoRegistrationContext {
  readonly log: Logger;
  /** Without a prefix. */
  readonly metrics: Metrics;
}

/** A connection of a machine; disposed when it ends. */
export interface RegisteredConnection extends Disposable {
  /** Name of the WorkloadEntry. */
  readonly name: string;
  /** False while its WorkloadGroup is not there, so that nothing stands for it. */
  readonly isServed: boolean;
  /** Why its workload takes no calls. */
  readonly unhealthy: string | undefined;
  /** Its agent says how the workload is; without a reason it is well. */
  reportHealth(reason: string | undefined): void;
}

/** Or why it may not be registered. */
export type Registering =
  | { readonly kind: "registered"; readonly connection: RegisteredConnection }
  | {
      readonly kind: "refused";
      readonly code: "PERMISSION_DENIED" | "RESOURCE_EXHAUSTED";
      readonly reason: string;
    };

/** More than any mesh has, and what one identity could fill the memory with that says ever other addresses. */
const mostMachines = 10_000;

/** Groups and networks of one address: each is another endpoint, and one machine would have the calls of many. */
const mostPerAddress = 8;

/** Envoy and agents come back from a control plane that was gone within half a minute. */
const defaultReturnMs = 60_000;

/** Between two writes of the file, in milliseconds. */
const writeEveryMs = 1_000;

const notYetChecked = "its agent has not told of a check yet";

interface Registration {
  machine: Machine;
  /** Why its workload takes no calls. */
  unhealthy: string | undefined;
  readonly connections: Set<object>;
  /** Forgets it, unless it comes back before. */
  leaving: Timer;
}

/** Registers machines until disposed. */
export class RegisteredMachines implements ConfigSource, AsyncDisposable {
  readonly name = "registered machines";
  readonly #options: AutoRegistrationOptions;
  readonly #log: Logger;
  readonly #counts: Readonly<
    Record<"success" | "updates" | "unregister" | "deletes" | "errors", CounterMetric>
  >;
  readonly #states = new Watch<SourceState>({ kind: "read", objects: [], problems: [] });
  readonly #changes = new Watch(0);
  /** By namespace and name of the entry. */
  readonly #registrations = new Map<string, Registration>();
  readonly #tasks = new TaskGroup();
  #groups: ReadonlyMap<string, WorkloadGroup> = new Map();

  constructor(options: AutoRegistrationOptions, { log, metrics }: AutoRegistrationContext) {
    this.#options = options;
    this.#log = log;
    const counters = metrics.withPrefix("auto_registration_");
    this.#counts = {
      success: counters.counter("success_total", "Machines that were registered."),
      updates: counters.counter("updates_total", "Machines that came back before they were forgotten."),
      unregister: counters.counter("unregister_total", "Machines whose last connection ended."),
      deletes: counters.counter("deletes_total", "Machines that did not come back, and were forgotten."),
      errors: counters.counter("errors_total", "Machines that were not registered."),
    };
    const waitMs = Math.max(options.graceMs, options.returnMs ?? defaultReturnMs);
    for (const { machine, isWell } of readMachines(options.file, log))
      this.#add(machine, isWell ? undefined : notYetChecked, waitMs);
  }

  get states(): ReadonlyWatch<SourceState> {
    return this.#states;
  }

  /** Take groups from here, and those of now at once. */
  follow(configuration: ReadonlyWatch<{ readonly objects: readonly ConfigObject[] }>): void {
    this.#groups = groupsOf(configuration.current.objects);
    this.#publish();
    this.#tasks.spawn("follow-groups", async (signal) => {
      for await (const { objects } of configuration.changes(signal)) {
        this.#groups = groupsOf(objects);
        this.#publish();
      }
    });
    this.#tasks.spawn("publish-machines", async (signal) => {
      for await (const change of this.#changes.changes(signal)) {
        if (change === 0) continue;
        await sleep(this.#options.debounceMs, signal);
        this.#publish();
      }
    });
    this.#tasks.spawn("keep-machines", async (signal) => {
      for await (const change of this.#changes.changes(signal)) {
        if (change > 0) this.#keep();
        await sleep(writeEveryMs, signal);
      }
    });
  }

  /** A machine has connected; it is registered, or still is. */
  connect(machine: Machine): Registering {
    const key = keyOf(machine);
    const known = this.#registrations.get(key);
    const group = this.#groups.get(groupKey(machine));
    const why = group === undefined ? undefined : whyNotOf(group, machine);
    const isOthers =
      known !== undefined &&
      known.connections.size > 0 &&
      known.machine.serviceAccount !== machine.serviceAccount;
    if (why !== undefined || isOthers)
      return this.#refuse("PERMISSION_DENIED", why ?? `${key} is registered by another service account`);
    if (known === undefined && this.#registrations.size >= mostMachines)
      return this.#refuse("RESOURCE_EXHAUSTED", `${mostMachines} machines are registered already`);
    if (known === undefined && this.#countAt(machine) >= mostPerAddress)
      return this.#refuse(
        "RESOURCE_EXHAUSTED",
        `${machine.address} is registered ${mostPerAddress} times in ${machine.namespace} already, by other groups and networks`,
      );
    if (group === undefined)
      this.#log.warn("a machine is registered once its WorkloadGroup is there", {
        machine: key,
        group: `${machine.namespace}/${machine.group}`,
      });
    const registration = known ?? this.#add(machine, machine.isChecked ? notYetChecked : undefined);
    const connection = {};
    registration.connections.add(connection);
    registration.leaving.cancel();
    registration.machine = machine;
    if (!machine.isChecked) registration.unhealthy = undefined;
    if (known === undefined) {
      this.#counts.success.inc();
      this.#log.info("a machine is registered", {
        machine: key,
        group: machine.group,
        address: machine.address,
      });
    } else this.#counts.updates.inc();
    this.#changed();
    return {
      kind: "registered",
      connection: {
        name: entryName(machine),
        isServed: group !== undefined,
        get unhealthy() {
          return registration.unhealthy;
        },
        reportHealth: (reason) => {
          this.#reportHealth(key, registration, reason);
        },
        [Symbol.dispose]: () => {
          this.#disconnect(registration, connection);
        },
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tasks[Symbol.asyncDispose]();
    for (const { leaving } of this.#registrations.values()) leaving.cancel();
    if (this.#changes.current > 0) this.#keep();
  }

  #refuse(code: "PERMISSION_DENIED" | "RESOURCE_EXHAUSTED", reason: string): Registering {
    this.#counts.errors.inc();
    return { kind: "refused", code, reason };
  }

  #countAt({ namespace, address }: Machine): number {
    return [...this.#registrations.values()].filter(
      ({ machine }) => machine.namespace === namespace && machine.address === address,
    ).length;
  }

  /** Nobody is connected yet: it is forgotten after `graceMs`. */
  #add(machine: Machine, unhealthy: string | undefined, graceMs = this.#options.graceMs): Registration {
    const leaving = this.#leaving(keyOf(machine), graceMs);
    const registration: Registration = { machine, unhealthy, connections: new Set(), leaving };
    this.#registrations.set(keyOf(machine), registration);
    return registration;
  }

  #disconnect(registration: Registration, connection: object): void {
    if (!registration.connections.delete(connection) || registration.connections.size > 0) return;
    this.#counts.unregister.inc();
    registration.leaving.cancel();
    registration.leaving = this.#leaving(keyOf(registration.machine), this.#options.graceMs);
  }

  #leaving(key: string, graceMs: number): Timer {
    const forget = (): void => {
      this.#forget(key);
    };
    return new Timer(graceMs, forget, { isBackground: true });
  }

  #forget(key: string): void {
    this.#registrations.delete(key);
    this.#counts.deletes.inc();
    this.#log.info("a machine did not come back, and is forgotten", { machine: key });
    this.#changed();
  }

  #reportHealth(key: string, registration: Registration, reason: string | undefined): void {
    if (registration.unhealthy === reason) return;
    const isChanged = (registration.unhealthy === undefined) !== (reason === undefined);
    registration.unhealthy = reason;
    if (!isChanged && reason !== undefined) return;
    this.#log.info(reason === undefined ? "workload is healthy" : "workload is unhealthy", {
      machine: key,
      reason,
    });
    this.#changed();
  }

  #changed(): void {
    this.#changes.set(this.#changes.current + 1);
  }

  #publish(): void {
    const objects: ConfigObject[] = [];
    for (const { machine, unhealthy } of this.#registrations.values()) {
      const group = this.#groups.get(groupKey(machine));
      if (group === undefined || whyNotOf(group, machine) !== undefined) continue;
      objects.push(entryOf(machine, group, unhealthy === undefined));
    }
    const { current } = this.#states;
    if (current.kind === "read" && isDeepStrictEqual(current.objects, objects)) return;
    this.#states.set({ kind: "read", objects, problems: [] });
  }

  #keep(): void {
    const machines = [...this.#registrations.values()].map(({ machine, unhealthy }) => ({
      machine,
      isWell: unhealthy === undefined,
    }));
    writeMachines(this.#options.file, machines, this.#log);
  }
}

function groupsOf(objects: readonly ConfigObject[]): ReadonlyMap<string, WorkloadGroup> {
  return new Map(
    objects
      .filter((object): object is WorkloadGroup => object.kind === "WorkloadGroup")
      .map((group) => [`${group.namespace}/${group.name}`, group]),
  );
}

function groupKey({ namespace, group }: Machine): string {
  return `${namespace}/${group}`;
}

function keyOf(machine: Machine): string {
  return `${machine.namespace}/${entryName(machine)}`;
}
