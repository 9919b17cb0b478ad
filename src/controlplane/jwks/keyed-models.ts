/**
 * The configuration's models with the keys that RequestAuthentications only name: fetched here, once for all proxies, and
 * fetched again now and then, so that an issuer may rotate them. What was fetched last stays until there is something newer.
 */
import { backoffDelayMs } from "../../lifecycle/backoff.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { type RetryFailure, retrying } from "../../lifecycle/retry.ts";
import { sleep } from "../../lifecycle/sleep.ts";
import { TaskGroup } from "../../lifecycle/task-group.ts";
import { type ReadonlyWatch, Watch } from "../../lifecycle/watch.ts";
import { readSystemRoots } from "../../pki/system-roots.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { CounterMetric, Metrics } from "../../telemetry/metrics.ts";
import type { RequestAuthenticationSpec } from "../config/objects.ts";
import type { PublishedModel } from "../model/configured-models.ts";
import type { Model, Scoped } from "../model/model.ts";
import { fetchKeySet } from "./fetch-key-set.ts";
import { type KeySetPlace, placesOf, withKeys } from "./places.ts";

/** How keys are fetched. */
export interface KeySetOptions {
  /** Between two fetches of one set, in milliseconds, give or take a tenth; 20 minutes unless told, as in Istio. */
  readonly refreshMs?: number | undefined;
  /** PEM for https; the operating system's unless told. */
  readonly roots?: (() => Buffer | undefined) | undefined;
}

/** What it tells. */
export interface KeySetReports {
  readonly log: Logger;
  readonly metrics: Metrics;
}

const defaultRefreshMs = 20 * 60_000;

/** A change waits so long for keys that it is the first to name, in milliseconds: proxies are not told to refuse all meanwhile. */
const firstKeysMs = 1_000;

const backoff = { initialMs: 1_000, multiplier: 2, maxMs: 60_000, jitter: 0.2 };

/** One set. */
interface KeySet {
  place: KeySetPlace;
  readonly gone: AbortController;
  keys: string | undefined;
}

/** Follows the configuration until disposed. */
export class KeyedModels implements AsyncDisposable {
  readonly #configured: ReadonlyWatch<PublishedModel>;
  readonly #models: Watch<PublishedModel>;
  readonly #options: KeySetOptions;
  readonly #log: Logger;
  readonly #fetched: CounterMetric;
  readonly #failed: CounterMetric;
  readonly #tasks = new TaskGroup();
  readonly #sets = new Map<string, KeySet>();
  readonly #keyed = new WeakMap<object, { keys: string; made: Scoped<RequestAuthenticationSpec> }>();
  #started = 0;

  private constructor(
    configured: ReadonlyWatch<PublishedModel>,
    options: KeySetOptions,
    { log, metrics }: KeySetReports,
  ) {
    this.#configured = configured;
    this.#options = options;
    this.#log = log;
    this.#models = new Watch({ number: 1, model: configured.current.model });
    this.#fetched = metrics.counter(
      "jwks_resolver_network_fetch_success_total",
      "Key sets that were fetched.",
    );
    this.#failed = metrics.counter(
      "jwks_resolver_network_fetch_fail_total",
      "Fetches of key sets that failed: the last set stays.",
    );
  }

  /** Resolves when the first keys are there, or have had their time. */
  static async open(
    configured: ReadonlyWatch<PublishedModel>,
    options: KeySetOptions,
    reports: KeySetReports,
  ): Promise<KeyedModels> {
    const models = new KeyedModels(configured, options, reports);
    await models.#follow();
    models.#publish();
    models.#tasks.spawn("follow-configuration", async (signal) => {
      for await (const _ of configured.changes(signal)) {
        await models.#follow();
        models.#publish();
      }
    });
    return models;
  }

  get models(): ReadonlyWatch<PublishedModel> {
    return this.#models;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tasks[Symbol.asyncDispose]();
  }

  /** Fetch what the newest model names, and nothing else. */
  async #follow(): Promise<void> {
    const places = placesOf(this.#configured.current.model.requestAuthentications);
    for (const [key, { gone }] of this.#sets) {
      if (places.has(key)) continue;
      gone.abort();
      this.#sets.delete(key);
    }
    const coming: Promise<void>[] = [];
    for (const [key, place] of places) {
      const set = this.#sets.get(key);
      // The next fetch may take as long as the rules say now.
      if (set === undefined) coming.push(this.#start(key, place));
      else set.place = place;
    }
    if (coming.length === 0) return;
    const settled = new AbortController();
    await Promise.race([Promise.all(coming), sleep(firstKeysMs, settled.signal)]);
    settled.abort();
  }

  #start(key: string, place: KeySetPlace): Promise<void> {
    const tried = Promise.withResolvers<void>();
    const set: KeySet = { place, gone: new AbortController(), keys: undefined };
    this.#sets.set(key, set);
    this.#started += 1;
    this.#tasks.spawn(`fetch-keys-${this.#started}`, async (stopped) => {
      const signal = AbortSignal.any([stopped, set.gone.signal]);
      try {
        while (!signal.aborted) {
          await this.#fetch(set, tried.resolve, signal);
          const { refreshMs = defaultRefreshMs } = this.#options;
          const wait = { initialMs: refreshMs, multiplier: 1, maxMs: refreshMs, jitter: 0.1 };
          await sleep(backoffDelayMs(wait, 0, Math.random()), signal);
        }
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        tried.resolve();
      }
    });
    return tried.promise;
  }

  async #fetch(set: KeySet, tried: () => void, signal: AbortSignal): Promise<void> {
    const { roots = readSystemRoots } = this.#options;
    const onFailure = ({ error, failures, delayMs }: RetryFailure): void => {
      tried();
      this.#failed.inc({});
      this.#log.warn("keys of an issuer cannot be fetched, those that were fetched last stay", {
        reason: errorMessage(error),
        has_keys: set.keys !== undefined,
        failures,
        retry_in_ms: delayMs,
      });
    };
    const keys = await retrying(() => fetchKeySet(set.place, () => roots(), signal), {
      ...{ backoff, signal, onFailure },
    });
    this.#fetched.inc({});
    const isNew = keys !== set.keys;
    set.keys = keys;
    tried();
    if (isNew) this.#publish();
  }

  #publish(): void {
    const model = this.#withKeys(this.#configured.current.model);
    const { number, model: before } = this.#models.current;
    if (model !== before) this.#models.set({ number: number + 1, model });
  }

  /** The last model itself where nothing is other. */
  #withKeys(model: Model): Model {
    const requestAuthentications = model.requestAuthentications.map((one) => this.#keyedOf(one));
    const { model: before } = this.#models.current;
    const isSame = (list: Model["requestAuthentications"]): boolean =>
      list.length === requestAuthentications.length &&
      list.every((one, index) => one === requestAuthentications[index]);
    if (isSame(model.requestAuthentications)) return model;
    const kept = isSame(before.requestAuthentications)
      ? before.requestAuthentications
      : requestAuthentications;
    const next = { ...model, requestAuthentications: kept };
    const isAsBefore = (Object.keys(next) as (keyof Model)[]).every((name) => next[name] === before[name]);
    return isAsBefore ? before : next;
  }

  #keyedOf(authentication: Scoped<RequestAuthenticationSpec>): Scoped<RequestAuthenticationSpec> {
    const places = [...placesOf([authentication]).keys()];
    const known = places.map((key) => this.#sets.get(key)?.keys);
    if (known.every((keys) => keys === undefined)) return authentication;
    const keys = JSON.stringify(known);
    const before = this.#keyed.get(authentication);
    if (before?.keys === keys) return before.made;
    const made = withKeys(authentication, (key) => this.#sets.get(key)?.keys);
    this.#keyed.set(authentication, { keys, made });
    return made;
  }
}
