/**
 * Leader election by a Lease (API reference, `coordination.k8s.io/v1`), by the rules of client-go's leaderelection: of several
 * control planes one writes.
 *
 * A holder that cannot renew is no holder any more before somebody else may take its place.
 */
import { errorMessage } from "../../lifecycle/error-message.ts";
import { sleep } from "../../lifecycle/sleep.ts";
import { TaskGroup } from "../../lifecycle/task-group.ts";
import { Deadline } from "../../lifecycle/timer.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { ApiObject, KubernetesApi } from "./api.ts";
import { KubernetesError } from "./api-error.ts";
import { mappingOf, textOf } from "./resource.ts";

/** Which lease, and who wants it. */
export interface LeaseOptions {
  readonly namespace: string;
  readonly name: string;
  /** Another one for each process. */
  readonly identity: string;
  /** After so long without a renewal somebody else may take it, in milliseconds. */
  readonly durationMs?: number;
}

/** client-go's own, in milliseconds: what a holder has to renew in, and how often it does. */
const defaultDurationMs = 15_000;
const renewShare = 2 / 3;
const retryShare = 2 / 15;

/** What the API has at the end to give the lease back, in milliseconds: a process that stops waits for no longer. */
const releaseMs = 2_000;

/** What was seen of another holder, and when. */
interface Seen {
  readonly record: string;
  readonly atMs: number;
}

/** Works while it leads, until `signal` aborts. */
export class LeaseHolder {
  readonly #api: KubernetesApi;
  readonly #options: Required<LeaseOptions>;
  readonly #log: Logger;
  #seen: Seen | undefined;

  constructor(api: KubernetesApi, options: LeaseOptions, log: Logger) {
    this.#api = api;
    this.#options = { durationMs: defaultDurationMs, ...options };
    this.#log = log;
  }

  /** @param work runs each time that the lease is held, until it is lost */
  async run(work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    const { durationMs, name, identity } = this.#options;
    let why = "";
    while (!signal.aborted) {
      const askedAtMs = performance.now();
      using limit = new Deadline(durationMs * renewShare);
      const held = await this.#attempt(AbortSignal.any([signal, limit.signal])).catch((error: unknown) => {
        const reason = errorMessage(error);
        if (reason !== why && !signal.aborted)
          this.#log.warn("the lease cannot be taken", { lease: name, reason });
        why = reason;
        return false;
      });
      if (held) {
        why = "";
        this.#log.info("this control plane leads", { lease: name, identity });
        await this.#lead(work, askedAtMs, signal);
        if (!signal.aborted) this.#log.warn("this control plane leads no longer", { lease: name, identity });
      }
      await sleep(durationMs * retryShare * (1 + Math.random() * 0.2), signal);
    }
  }

  async #lead(
    work: (signal: AbortSignal) => Promise<void>,
    takenAtMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { durationMs } = this.#options;
    const lost = new AbortController();
    const stop = AbortSignal.any([signal, lost.signal]);
    {
      await using tasks = new TaskGroup();
      tasks.spawn("lead", () => work(stop));
      // From before it was asked for: others count from when it was written.
      let renewedAtMs = takenAtMs;
      while (!stop.aborted && tasks.failure === undefined) {
        const lostAtMs = renewedAtMs + durationMs * renewShare;
        await sleep(Math.min(durationMs * retryShare, lostAtMs - performance.now()), stop);
        if (stop.aborted) break;
        const askedAtMs = performance.now();
        // An API that hangs has until the lease is lost, and no longer.
        using limit = new Deadline(Math.max(0, lostAtMs - askedAtMs));
        const held = await this.#attempt(AbortSignal.any([stop, limit.signal])).catch(() => undefined);
        if (held === true) renewedAtMs = askedAtMs;
        else if (held === false || performance.now() >= lostAtMs) lost.abort();
      }
      lost.abort();
      const { failure } = tasks;
      if (failure !== undefined)
        this.#log.error("what a leader does has failed", { reason: errorMessage(failure) });
    }
    await this.#release();
  }

  /** Take it or renew it; false where somebody else has it. @throws KubernetesError */
  async #attempt(signal: AbortSignal): Promise<boolean> {
    const { identity, durationMs } = this.#options;
    const now = new Date().toISOString().replace("Z", "000Z");
    const lease = await this.#read(signal);
    const spec = mappingOf(lease?.["spec"]);
    const holder = textOf(spec["holderIdentity"]);
    if (holder !== "" && holder !== identity && this.#mayHold(spec)) return false;
    const transitions = typeof spec["leaseTransitions"] === "number" ? spec["leaseTransitions"] : 0;
    const isOwn = holder === identity;
    const next = {
      holderIdentity: identity,
      leaseDurationSeconds: Math.max(1, Math.round(durationMs / 1_000)),
      renewTime: now,
      acquireTime: isOwn ? spec["acquireTime"] : now,
      leaseTransitions: isOwn || lease === undefined ? transitions : transitions + 1,
    };
    try {
      await this.#write(lease, next, signal);
      return true;
    } catch (error) {
      if (error instanceof KubernetesError && error.code === "CONFLICT") return false;
      throw error;
    }
  }

  /** By this process' own clock, since the record was seen to change: clocks of others count for nothing. */
  #mayHold(spec: ApiObject): boolean {
    const record = JSON.stringify(spec);
    const now = performance.now();
    if (this.#seen?.record !== record) this.#seen = { record, atMs: now };
    const seconds = spec["leaseDurationSeconds"];
    const lastsMs = (typeof seconds === "number" ? seconds : 0) * 1_000 || this.#options.durationMs;
    return now - this.#seen.atMs < lastsMs;
  }

  /** Somebody else need not wait. */
  async #release(): Promise<void> {
    try {
      using limit = new Deadline(releaseMs);
      const { signal } = limit;
      const lease = await this.#read(signal);
      const spec = mappingOf(lease?.["spec"]);
      if (spec["holderIdentity"] === this.#options.identity)
        await this.#write(lease, { ...spec, holderIdentity: "", leaseDurationSeconds: 1 }, signal);
    } catch (error) {
      this.#log.debug("the lease is left to expire", { reason: errorMessage(error) });
    }
  }

  async #read(signal: AbortSignal): Promise<ApiObject | undefined> {
    try {
      return await this.#api.send({ path: this.#path }, signal);
    } catch (error) {
      if (error instanceof KubernetesError && error.code === "NOT_FOUND") return undefined;
      throw error;
    }
  }

  /** With the version that was read: of two that write at once the second is refused. */
  async #write(lease: ApiObject | undefined, spec: object, signal: AbortSignal): Promise<void> {
    const { namespace, name } = this.#options;
    const metadata = lease === undefined ? { name, namespace } : mappingOf(lease["metadata"]);
    const body = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata, spec };
    if (lease === undefined) {
      const path = this.#path.slice(0, this.#path.lastIndexOf("/"));
      await this.#api.send({ method: "POST", path, body }, signal);
    } else await this.#api.send({ method: "PUT", path: this.#path, body }, signal);
  }

  get #path(): string {
    const { namespace, name } = this.#options;
    return `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${name}`;
  }
}
