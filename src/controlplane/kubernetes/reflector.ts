/**
 * The objects of one kind as the cluster has them: a list, and then each change of it (API concepts, "Efficient detection
 * of changes"; client-go's Reflector).
 *
 * Where the server streams lists, the list comes as the first events of the watch; else it is read page by page. Whatever
 * happens meanwhile, what was known last stays until a whole new list is there.
 */
import { isDeepStrictEqual } from "node:util";
import { type Backoff, backoffDelayMs } from "../../lifecycle/backoff.ts";
import { Deadline, Timer } from "../../lifecycle/timer.ts";
import { type Moment, thisMoment } from "../../lifecycle/moment.ts";
import { sleep } from "../../lifecycle/sleep.ts";
import type { ApiObject, KubernetesApi, WatchEvent } from "./api.ts";
import { errorOfAnswer, KubernetesError } from "./api-error.ts";
import { collectionPath, mappingOf, mappingsOf, metaOf, type Resource, textOf, textsOf } from "./resource.ts";

/** Where a reflector stands. */
export type ReflectorState =
  /** Nothing is known yet. */
  | { readonly kind: "waiting" }
  | { readonly kind: "following" }
  /** The cluster has no such kind, any more where there were objects of it: so many were dropped. */
  | { readonly kind: "absent"; readonly dropped: number }
  /** What was known last is kept. */
  | { readonly kind: "failing"; readonly error: Error; readonly since: Moment; readonly failures: number };

/** One object with what it was made of. */
interface Kept<T> {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly value: T | undefined;
}

/** Objects of one answer. */
const pageSize = "500";

/** A server that is gone is asked again soon, and ever less often; all reflectors at different times. */
const backoff: Backoff = { initialMs: 250, multiplier: 2, maxMs: 15_000, jitter: 0.5 };

/** How long one watch is to be open, in seconds, with as much again at random: all begin anew at different times. */
const watchSeconds = 240;

/** A watch that is over sooner is not begun anew at once, in milliseconds. */
const shortMs = 1_000;

/** A watch that is open for so long is one, whether anything happens or not, in milliseconds. */
const settledMs = 3_000;

/** A list that is streamed is there after this long, or is read page by page, in milliseconds. */
const streamedListMs = 60_000;

/** A kind that the cluster does not have is looked for so often, in milliseconds, with half more at random. */
const absentMs = 20_000;

/** A kind that there was is gone when the cluster says so twice, so long apart, in milliseconds: one that starts has fewer. */
const goneMs = 10_000;

/** The end of a list that is streamed. */
const initialEventsEnd = "k8s.io/initial-events-end";

/** Follows one kind. */
export class Reflector<T = unknown> {
  readonly resource: Resource<T>;
  readonly #api: KubernetesApi;
  readonly #onChange: () => void;
  #kept = new Map<string, Kept<T>>();
  #state: ReflectorState = { kind: "waiting" };
  #isListed = false;
  #streamsLists = true;
  /** Requests in a row without a usable answer: a list or a watch that was taken is none yet. */
  #failures = 0;
  /** What is known is to be listed anew: what the watch went on from does not count any more. */
  #isOutdated = false;
  /** Objects that there were of a kind that is there no more. */
  #dropped = 0;
  /** The version of the API, once it is known which the cluster has. */
  #version: string | undefined;
  /** What the watch goes on from; undefined for a new list. */
  #resourceVersion: string | undefined;
  #allFailures = 0;

  /** @param onChange is called after each change of the objects or the state */
  constructor(resource: Resource<T>, api: KubernetesApi, onChange: () => void) {
    this.resource = resource;
    this.#api = api;
    this.#onChange = onChange;
  }

  get state(): ReflectorState {
    return this.#state;
  }

  /** True once it is known what the cluster has, for good. */
  get isListed(): boolean {
    return this.#isListed;
  }

  /** Of the API, in which the kind is followed; undefined until it is known which the cluster has. */
  get version(): string | undefined {
    return this.#version;
  }

  /** Requests without a usable answer so far. */
  get failures(): number {
    return this.#allFailures;
  }

  /** By `namespace/name`; an object that did not change is the same one as before. */
  *values(): Generator<T> {
    for (const { value } of this.#kept.values()) if (value !== undefined) yield value;
  }

  /** The object of this `namespace/name`. */
  get(key: string): T | undefined {
    return this.#kept.get(key)?.value;
  }

  /** Follow until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    let since = thisMoment();
    /** The cluster has said once that it has the kind no more. */
    let isMissed = false;
    while (!signal.aborted) {
      try {
        this.#version ??= await this.#versionOf(signal);
        if (this.#version === undefined) {
          if (this.#kept.size > 0 && !isMissed) {
            isMissed = true;
            await sleep(goneMs, signal);
            continue;
          }
          this.#drop();
          await sleep(absentMs * (1 + Math.random() / 2), signal);
          continue;
        }
        isMissed = false;
        this.#dropped = 0;
        const startedAt = performance.now();
        await this.#follow(this.#version, signal);
        // Not again at once, whatever has ended it so soon.
        if (performance.now() - startedAt < shortMs)
          await sleep(backoffDelayMs(backoff, 0, Math.random()), signal);
      } catch (error) {
        if (signal.aborted) return;
        isMissed = false;
        const reason = error instanceof Error ? error : new Error(String(error));
        const code = error instanceof KubernetesError ? error.code : undefined;
        // It may be that the kind is gone: whether it is the cluster says elsewhere.
        if (code === "NOT_FOUND" || code === "UNUSABLE") this.#version = undefined;
        const wasOutdated = this.#isOutdated;
        if (code === "GONE" || code === "NOT_FOUND" || code === "UNUSABLE") this.#isOutdated = true;
        if (this.#isOutdated) this.#resourceVersion = undefined;
        // A list that has become too old is nothing to tell, once: the next one begins anew.
        if (code === "GONE" && !wasOutdated) {
          await sleep(backoffDelayMs(backoff, 0, Math.random()), signal);
          continue;
        }
        if (this.#failures === 0) since = thisMoment();
        this.#failures += 1;
        this.#allFailures += 1;
        this.#tell({ kind: "failing", error: reason, since, failures: this.#failures });
        const asked = error instanceof KubernetesError ? (error.retryAfterMs ?? 0) : 0;
        await sleep(Math.max(asked, backoffDelayMs(backoff, this.#failures - 1, Math.random())), signal);
      }
    }
  }

  async #follow(version: string, signal: AbortSignal): Promise<void> {
    const path = collectionPath(this.resource, version);
    if (this.#resourceVersion === undefined) {
      if (this.#streamsLists) {
        try {
          await this.#watch(path, signal);
          return;
        } catch (error) {
          const isUnknown = error instanceof KubernetesError && error.code === "UNUSABLE";
          if (!isUnknown || this.#resourceVersion !== undefined) throw error;
        }
      }
      await this.#list(path, signal);
      // Before Kubernetes 1.32, or where it is switched off.
      this.#streamsLists = false;
    }
    await this.#watch(path, signal);
  }

  async #list(path: string, signal: AbortSignal): Promise<void> {
    const found = new Map<string, Kept<T>>();
    let next = "";
    let resourceVersion = "";
    do {
      const query = {
        ...this.#selectors(),
        limit: pageSize,
        ...(next === "" ? {} : { continue: next }),
      };
      const list = await this.#api.send({ path, query }, signal);
      if (!Array.isArray(list["items"]))
        throw new KubernetesError("UNUSABLE", `GET ${path}: the answer is no list. Look at what is between`);
      for (const item of mappingsOf(list["items"])) this.#put(found, item);
      const metadata = mappingOf(list["metadata"]);
      next = textOf(metadata["continue"]);
      resourceVersion = textOf(metadata["resourceVersion"]);
    } while (next !== "");
    this.#resourceVersion = resourceVersion;
    this.#replace(found);
  }

  async #watch(path: string, signal: AbortSignal): Promise<void> {
    let initial = this.#resourceVersion === undefined ? new Map<string, Kept<T>>() : undefined;
    const query = {
      ...this.#selectors(),
      allowWatchBookmarks: "true",
      ...(this.#resourceVersion === undefined
        ? { sendInitialEvents: "true", resourceVersionMatch: "NotOlderThan" }
        : { resourceVersion: this.#resourceVersion }),
    };
    const forSeconds = Math.round(watchSeconds * (1 + Math.random()));
    let isSettled = false;
    const settle = (): void => {
      isSettled = true;
      this.#failures = 0;
      this.#isOutdated = false;
      this.#tell({ kind: "following" });
    };
    using limit = new Deadline(initial === undefined ? Infinity : streamedListMs);
    using timers = new DisposableStack();
    /** What is between may take a watch that comes to nothing: it is one once it lasts, or tells a change. */
    const onOpen = (): void => {
      timers.use(new Timer(settledMs, settle));
    };
    const either = AbortSignal.any([signal, limit.signal]);
    try {
      const events = this.#api.watch(path, query, {
        forSeconds,
        signal: either,
        onOpen: initial === undefined ? onOpen : () => undefined,
      });
      for await (const event of events) {
        const isEnd = this.#takeEvent(event, path, initial);
        if (isEnd) {
          limit[Symbol.dispose]();
          initial = undefined;
          onOpen();
        } else if (initial === undefined) settle();
      }
    } catch (error) {
      if (signal.aborted || !limit.signal.aborted) throw error;
      throw new KubernetesError("UNUSABLE", `watch of ${path}: its list did not come to an end`, {
        cause: error,
      });
    }
    if (initial !== undefined)
      throw new KubernetesError("UNREACHABLE", `watch of ${path}: it ended before its list did`);
    if (!isSettled)
      throw new KubernetesError(
        "UNREACHABLE",
        `watch of ${path}: it was over at once. Look at what is between`,
      );
  }

  /** @returns true when this was the end of the list that comes first */
  #takeEvent(event: WatchEvent, path: string, initial: Map<string, Kept<T>> | undefined): boolean {
    const { type, object } = event;
    switch (type) {
      case "ADDED":
      case "MODIFIED":
      case "DELETED":
        this.#change(type, object, initial);
        return false;
      case "BOOKMARK": {
        const metadata = mappingOf(object["metadata"]);
        const isEnd = textsOf(metadata["annotations"])[initialEventsEnd] === "true";
        if (initial === undefined || isEnd) this.#resourceVersion = textOf(metadata["resourceVersion"]);
        if (initial === undefined || !isEnd) return false;
        this.#replace(initial);
        return true;
      }
      case "ERROR":
        this.#isOutdated ||= Number(object["code"]) !== 410;
        throw errorOfAnswer(`watch of ${path}`, Number(object["code"]), object);
      default:
        throw new KubernetesError("UNUSABLE", `watch of ${path}: an event of no known type`);
    }
  }

  #change(type: string, object: ApiObject, initial: Map<string, Kept<T>> | undefined): void {
    const target = initial ?? this.#kept;
    const key = keyOf(object);
    const before = target.get(key)?.value;
    if (type === "DELETED") target.delete(key);
    else this.#put(target, object);
    if (initial !== undefined) return;
    const { resourceVersion } = mappingOf(object["metadata"]);
    if (typeof resourceVersion === "string") this.#resourceVersion = resourceVersion;
    if (target.get(key)?.value !== before) this.#onChange();
  }

  /** What is kept of an object that says what it said before is what was kept. */
  #put(target: Map<string, Kept<T>>, object: ApiObject): void {
    const meta = metaOf(object);
    if (meta === undefined) return;
    const key = keyOf(object);
    const { uid, resourceVersion } = meta;
    const before = this.#kept.get(key);
    if (before?.uid === uid && before.resourceVersion === resourceVersion) {
      target.set(key, before);
      return;
    }
    const value = this.resource.keep(object, meta);
    const isSame = before?.uid === uid && isDeepStrictEqual(before.value, value);
    target.set(key, { uid, resourceVersion, value: isSame ? before.value : value });
  }

  #replace(found: Map<string, Kept<T>>): void {
    const before = this.#kept;
    const isSame =
      this.#isListed &&
      before.size === found.size &&
      [...found].every(([key, { value }]) => before.get(key)?.value === value);
    this.#kept = found;
    this.#isListed = true;
    if (!isSame) this.#onChange();
  }

  #tell(state: ReflectorState): void {
    const before = this.#state.kind;
    this.#state = state;
    if (before !== state.kind || state.kind === "failing") this.#onChange();
  }

  /** The best version that the cluster has of the kind; undefined when it has none. */
  async #versionOf(signal: AbortSignal): Promise<string | undefined> {
    const { group, versions, plural, isOptional } = this.resource;
    if (isOptional === undefined || group === "") return versions[0];
    // Of a group that it does not have Kubernetes answers as anybody would who knows nothing: the list of all groups is its own.
    const { groups } = await this.#ask("/apis", "APIGroupList", signal);
    const served = mappingsOf(groups).find(({ name }) => name === group);
    const names = mappingsOf(served?.["versions"]).map(({ version }) => version);
    for (const version of versions.filter((each) => names.includes(each))) {
      const { resources } = await this.#ask(`/apis/${group}/${version}`, "APIResourceList", signal);
      if (mappingsOf(resources).some(({ name }) => name === plural)) return version;
    }
    return undefined;
  }

  async #ask(path: string, kind: string, signal: AbortSignal): Promise<ApiObject> {
    const answer = await this.#api.send({ path }, signal);
    if (answer["kind"] === kind) return answer;
    throw new KubernetesError("UNUSABLE", `GET ${path}: the answer is no ${kind}. Look at what is between`);
  }

  /** The kind is not there. */
  #drop(): void {
    this.#dropped += this.#kept.size;
    this.#failures = 0;
    this.#resourceVersion = undefined;
    this.#replace(new Map());
    this.#tell({ kind: "absent", dropped: this.#dropped });
  }

  #selectors(): Readonly<Record<string, string>> {
    const { fieldSelector, labelSelector } = this.resource;
    return {
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
    };
  }
}

function keyOf(object: ApiObject): string {
  const { namespace, name } = mappingOf(object["metadata"]);
  return `${textOf(namespace)}/${textOf(name)}`;
}
