/**
 * Objects of a cluster that are to be as this control plane wants them, beside others who may write them as well.
 *
 * Each is written by itself: one that cannot be written, or that somebody else writes again and again, is written ever less often,
 * and holds up no other.
 */
import { type Backoff, backoffDelayMs } from "../../lifecycle/backoff.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { TaskGroup } from "../../lifecycle/task-group.ts";
import { Timer } from "../../lifecycle/timer.ts";
import type { Watch } from "../../lifecycle/watch.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { CounterMetric, Metrics } from "../../telemetry/metrics.ts";
import type { ApiRequest, KubernetesApi } from "./api.ts";
import { KubernetesError } from "./api-error.ts";

/** An object that is not as it is to be, and what makes it so. */
export interface WantedWrite {
  /** Of all that one writer writes, such as `ConfigMap demo/istio-ca-root-cert`. */
  readonly object: string;
  /** How it is to be: what became of another wish does not hold this one up. */
  readonly wish: string;
  readonly request: ApiRequest;
}

/** What became of the last writes of one object. */
interface Tried {
  readonly wish: string;
  /** In a row, of the same wish. */
  readonly times: number;
  /** Not again before, by the process' own clock. */
  readonly nextAtMs: number;
  /** The last failure that was told. */
  readonly told: string | undefined;
}

/** Writes that are on their way at once. */
const mostAtOnce = 8;

const backoff: Backoff = { initialMs: 1_000, multiplier: 2, maxMs: 60_000, jitter: 0.2 };

/** What has stayed right for so long is disputed by nobody, in milliseconds. */
const undisputedMs = 120_000;

/** A wish that comes true for a moment only so often is somebody else's matter, too. */
const disputedFrom = 4;

/** Counts what the writers of a control plane write. */
export class WriteMetrics {
  readonly #writes: CounterMetric;

  constructor(metrics: Metrics) {
    this.#writes = metrics.counter(
      "cluster_writes_total",
      "Objects that were written to the cluster, or could not be.",
      ["what", "outcome"],
    );
  }

  count(what: string, outcome: "written" | "failed"): void {
    this.#writes.inc({ what, outcome });
  }
}

/** What a writer needs. */
export interface ObjectWriterOptions {
  /** What it writes, for messages and metrics. */
  readonly what: string;
  readonly api: KubernetesApi;
  readonly metrics: WriteMetrics;
  readonly log: Logger;
}

/** Writes what is due, until `signal` aborts. */
export class ObjectWriter {
  readonly #options: ObjectWriterOptions;
  readonly #tried = new Map<string, Tried>();
  readonly #writing = new Set<string>();
  #writes = 0;

  constructor(options: ObjectWriterOptions) {
    this.#options = options;
  }

  /**
   * @param changes counts whatever may change what is due
   * @param due what is not as it is to be by now; asked again after each change
   */
  async run(changes: Watch<number>, due: () => Iterable<WantedWrite>, signal: AbortSignal): Promise<void> {
    const wake = (): void => {
      changes.set(changes.current + 1);
    };
    await using tasks = new TaskGroup();
    const stop = AbortSignal.any([signal, tasks.signal]);
    let timer: Timer | undefined;
    using cleanUp = new DisposableStack();
    cleanUp.defer(() => timer?.cancel());
    for await (const _ of changes.changes(stop)) {
      timer?.cancel();
      const now = performance.now();
      this.#forget(now);
      let nextAtMs = Infinity;
      for (const write of due()) {
        if (this.#writing.size >= mostAtOnce) break;
        if (this.#writing.has(write.object)) continue;
        const last = this.#tried.get(write.object);
        if (last?.wish === write.wish && now < last.nextAtMs) {
          nextAtMs = Math.min(nextAtMs, last.nextAtMs);
          continue;
        }
        this.#writing.add(write.object);
        this.#writes += 1;
        tasks.spawn(`write-${this.#writes}`, async () => {
          await this.#write(write, stop);
          this.#writing.delete(write.object);
          wake();
        });
      }
      if (nextAtMs < Infinity) timer = new Timer(nextAtMs - now, wake);
    }
    const { failure } = tasks;
    if (failure !== undefined) throw failure;
  }

  async #write({ object, wish, request }: WantedWrite, signal: AbortSignal): Promise<void> {
    const { api, log, what, metrics } = this.#options;
    const last = this.#tried.get(object);
    const times = last?.wish === wish ? last.times + 1 : 1;
    let told: string | undefined;
    let askedMs = 0;
    try {
      await api.send(request, signal);
      metrics.count(what, "written");
      log.debug("an object of the cluster was written", { what, object });
      if (times === disputedFrom)
        log.warn("an object of the cluster does not stay as it was written: somebody else writes it, too", {
          what,
          object,
        });
    } catch (error) {
      if (signal.aborted) return;
      // Gone, or written by another since: the watch tells.
      const isOutdated = error instanceof KubernetesError && ["NOT_FOUND", "CONFLICT"].includes(error.code);
      if (error instanceof KubernetesError) askedMs = error.retryAfterMs ?? 0;
      if (!isOutdated) {
        metrics.count(what, "failed");
        told = errorMessage(error);
        if (told !== last?.told)
          log.warn("an object of the cluster cannot be written", { what, object, reason: told });
      }
    }
    const waitMs = Math.max(askedMs, backoffDelayMs(backoff, times - 1, Math.random()));
    this.#tried.set(object, { wish, times, nextAtMs: performance.now() + waitMs, told });
  }

  #forget(now: number): void {
    for (const [object, { nextAtMs }] of this.#tried)
      if (now - nextAtMs >= undisputedMs) this.#tried.delete(object);
  }
}
