/**
 * The configuration that Envoy last acknowledged, kept on disk for a start without a control plane.
 *
 * Changes are written some time after they were acknowledged, all at once and each file whole; then their bytes
 * are let go, so that a large configuration is not held in memory beside Envoy's own copy.
 */
import { existsSync } from "node:fs";
import { readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { errorCode, errorMessage } from "../../lifecycle/error-message.ts";
import { makeOwnFolder } from "../../files/own-folder.ts";
import { loadOwnFile, storeOwnFile } from "../../files/own-handle.ts";
import type { MemoryRelease } from "../../process/memory-release.ts";
import { sleep } from "../../lifecycle/sleep.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import { typeUrl } from "../../xds/type-urls.ts";
import { decodeCacheFile, encodeCacheFile } from "./cache-file.ts";
import { cacheFileName, cacheSuffix } from "./cache-name.ts";
import { type AcknowledgedUpdate, PendingChanges, type TypeResources, withPending } from "./cached-type.ts";

/** Where the cache is and what it may take. */
export interface XdsCacheOptions {
  /** Folder of the files, made with mode 0700. */
  readonly folder: string;
  /** Node and control plane that the state belongs to. */
  readonly owner: string;
  /** Largest state of one type that is kept, in bytes. */
  readonly maxTypeBytes: number;
  /** From an acknowledgement to its write, in milliseconds. */
  readonly writeAfterMs: number;
}

/** What the cache works with. */
export interface XdsCacheDependencies {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly memory: MemoryRelease;
  /** True for a resource that is never to be on disk. */
  readonly holdsSecret: (typeUrl: string, resource: Uint8Array) => boolean;
}

/** Everything that can be served. */
export interface CachedConfiguration {
  readonly types: ReadonlyMap<string, TypeResources>;
  /** When the control plane last stood behind it. */
  readonly asOf: Date;
}

/** Without these Envoy cannot serve. */
const neededTypes: readonly string[] = [typeUrl.cluster, typeUrl.listener];

/** How often the files are marked as still in force, in milliseconds. */
const confirmEveryMs = 30_000;

/** The cache of one agent. */
export class XdsCache {
  readonly #options: XdsCacheOptions;
  readonly #log: Logger;
  readonly #memory: MemoryRelease;
  readonly #holdsSecret: XdsCacheDependencies["holdsSecret"];
  readonly #pending = new Map<string, PendingChanges>();
  /** Types that were acknowledged to this agent: what is kept of them is not of an earlier life. */
  readonly #fresh = new Set<string>();
  /** Why a type is not kept, until its next full state. */
  readonly #given = new Map<string, string>();
  #changed = Promise.withResolvers<void>();
  #problem: string | undefined;
  #corrupted = 0;
  #written = 0;

  constructor(options: XdsCacheOptions, { log, metrics, memory, holdsSecret }: XdsCacheDependencies) {
    this.#options = options;
    this.#holdsSecret = holdsSecret;
    this.#memory = memory;
    this.#log = log;
    metrics.computedCounter(
      "xds_cache_corrupted_total",
      "Files of the xDS cache that were set aside because they were damaged.",
      () => this.#corrupted,
    );
    metrics.computedCounter(
      "xds_cache_writes_total",
      "Files of the xDS cache that were written.",
      () => this.#written,
    );
  }

  /** False for a type that is never kept, and for a response that is too large; its type is then given up. */
  accepts(type: string, bytes: number): boolean {
    if (type === typeUrl.secret) return false;
    if (bytes <= this.#options.maxTypeBytes) return true;
    this.giveUp(type, `it is larger than ${this.#options.maxTypeBytes} bytes`);
    return false;
  }

  /** Envoy no longer asks for these. */
  drop(type: string, names: readonly string[]): void {
    if (this.#given.has(type)) return;
    const pending = this.#pendingOf(type);
    pending.add({ full: false, version: pending.version, changed: [], removed: names });
    this.#changed.resolve();
  }

  /** Keep a response that Envoy has acknowledged. */
  acknowledged(update: AcknowledgedUpdate): void {
    const { typeUrl: type, full } = update;
    if (full) this.#given.delete(type);
    if (this.#given.has(type)) return;
    if (update.changed.some(({ bytes }) => this.#holdsSecret(type, bytes))) {
      this.giveUp(type, "it holds a secret");
      return;
    }
    const pending = this.#pendingOf(type);
    pending.add(update);
    if (pending.bytes > this.#options.maxTypeBytes) {
      this.giveUp(type, `it is larger than ${this.#options.maxTypeBytes} bytes`);
      return;
    }
    this.#fresh.add(type);
    this.#changed.resolve();
  }

  /** Keep nothing of this type until its next full state: what is there would be out of date without a word. */
  giveUp(type: string, reason: string): void {
    if (this.#given.has(type)) return;
    this.#given.set(type, reason);
    this.#log.warn("configuration is not cached", { type, reason });
    // An empty full state takes the file away.
    const nothing = new PendingChanges();
    nothing.add({ full: true, version: "", changed: [], removed: [] });
    this.#pending.set(type, nothing);
    this.#changed.resolve();
  }

  /** False for a type that is never kept, or was given up. */
  keeps(type: string): boolean {
    return type !== typeUrl.secret && !this.#given.has(type);
  }

  /** What is kept of one type, on disk and in memory; undefined when there is nothing. */
  async lastAccepted(type: string): Promise<TypeResources | undefined> {
    // What is written meanwhile is on disk too late to be read, and in memory no more.
    const before = this.#pending.get(type);
    const stored = (await this.#read(this.#path(type)))?.state;
    const after = this.#pending.get(type);
    if (!this.keeps(type)) return undefined;
    const known = before === undefined ? stored : withPending(stored, before);
    return after === undefined || after === before ? known : withPending(known, after);
  }

  /** Everything on disk and in memory; undefined when it is not enough to serve. */
  async load(): Promise<CachedConfiguration | undefined> {
    const types = new Map<string, TypeResources>();
    let asOf = 0;
    for (const path of await this.#files()) {
      const read = await this.#read(path);
      if (read === undefined) continue;
      types.set(read.typeUrl, read.state);
      asOf = Math.max(asOf, (await stat(path)).mtimeMs);
    }
    for (const [type, pending] of this.#pending) {
      if (this.#given.has(type)) types.delete(type);
      else types.set(type, withPending(types.get(type), pending));
      asOf = Date.now();
    }
    if (neededTypes.some((type) => !types.has(type))) return undefined;
    return { types, asOf: new Date(asOf) };
  }

  /** True when there are files that could be served; whether they are sound is seen when they are read. */
  isThere(): boolean {
    return neededTypes.every(
      (type) => !this.#given.has(type) && (this.#pending.has(type) || existsSync(this.#path(type))),
    );
  }

  /** True when it holds what an Envoy of this very agent has served with. */
  isFresh(): boolean {
    return this.isThere() && neededTypes.every((type) => this.#fresh.has(type));
  }

  /**
   * Write behind, until `signal` aborts and then once more.
   *
   * @param isCurrent true while the control plane stands behind the state
   */
  async run(isCurrent: () => boolean, signal: AbortSignal): Promise<void> {
    let confirmedAt = performance.now();
    while (!signal.aborted) {
      const waiting = new AbortController();
      const either = AbortSignal.any([signal, waiting.signal]);
      await Promise.race([this.#changed.promise, sleep(confirmEveryMs, either)]);
      if (this.#pending.size > 0) await sleep(this.#options.writeAfterMs, signal);
      waiting.abort();
      await this.#flush();
      if (isCurrent() && performance.now() - confirmedAt >= confirmEveryMs) {
        confirmedAt = performance.now();
        await this.#confirm();
      }
    }
    await this.#flush();
    if (isCurrent()) await this.#confirm();
  }

  #pendingOf(type: string): PendingChanges {
    const pending = this.#pending.get(type) ?? new PendingChanges();
    this.#pending.set(type, pending);
    return pending;
  }

  async #flush(): Promise<void> {
    this.#changed = Promise.withResolvers<void>();
    let problem: string | undefined;
    for (const [type, pending] of this.#pending) {
      const { updates } = pending;
      try {
        await this.#write(type, pending);
      } catch (error) {
        // What keeps one type from being written may be that type's own.
        problem ??= errorMessage(error);
        continue;
      }
      // A newer change that came meanwhile stays for the next round.
      if (this.#pending.get(type) === pending && pending.updates === updates) this.#pending.delete(type);
      this.#memory.passed(pending.bytes);
    }
    if (problem !== undefined && problem !== this.#problem)
      this.#log.warn("the xDS cache cannot be written", { folder: this.#options.folder, reason: problem });
    this.#problem = problem;
  }

  async #write(type: string, pending: PendingChanges): Promise<void> {
    const { folder, owner, maxTypeBytes } = this.#options;
    const path = this.#path(type);
    if (this.#given.has(type)) {
      await rm(path, { force: true });
      return;
    }
    const stored = pending.full ? undefined : (await this.#read(path))?.state;
    if (!pending.full && stored === undefined && neededTypes.includes(type)) return;
    const parts = await encodeCacheFile(owner, type, withPending(stored, pending));
    if (parts.reduce((sum, { length }) => sum + length, 0) > maxTypeBytes) {
      await rm(path, { force: true });
      this.giveUp(type, `it is larger than ${maxTypeBytes} bytes`);
      return;
    }
    makeOwnFolder(folder);
    await storeOwnFile(path, (file) => file.writeFile(chunksOf(parts)));
    this.#written += 1;
  }

  async #confirm(): Promise<void> {
    const now = new Date();
    for (const path of await this.#files()) await utimes(path, now, now).catch(() => undefined);
  }

  async #read(path: string): Promise<{ typeUrl: string; state: TypeResources } | undefined> {
    let content: Buffer;
    try {
      content = await loadOwnFile(path, this.#options.maxTypeBytes + descriptionBytes);
    } catch (error) {
      if (errorCode(error) !== "ENOENT")
        this.#log.warn("a file of the xDS cache cannot be read", { path, reason: errorMessage(error) });
      return undefined;
    }
    const file = decodeCacheFile(content, this.#options.owner);
    if (file.kind === "read") return file;
    if (file.kind === "foreign") {
      await rm(path, { force: true });
      return undefined;
    }
    this.#corrupted += 1;
    this.#log.error("a file of the xDS cache is damaged and was set aside", {
      path: `${path}.corrupted`,
      reason: file.reason,
    });
    await rename(path, `${path}.corrupted`);
    return undefined;
  }

  async #files(): Promise<readonly string[]> {
    try {
      const names = await readdir(this.#options.folder);
      return names
        .filter((name) => name.endsWith(cacheSuffix))
        .map((name) => join(this.#options.folder, name));
    } catch {
      // There is no folder before the first write.
      return [];
    }
  }

  #path(type: string): string {
    return join(this.#options.folder, cacheFileName(type));
  }
}

/** Room for what describes the resources in a file. */
const descriptionBytes = 65_536;

/** Fewer writes than there are resources. */
const chunkBytes = 262_144;

function* chunksOf(parts: readonly Uint8Array[]): Generator<Buffer, void, undefined> {
  let chunk: Uint8Array[] = [];
  let bytes = 0;
  for (const part of parts) {
    chunk.push(part);
    bytes += part.length;
    if (bytes < chunkBytes) continue;
    yield Buffer.concat(chunk, bytes);
    chunk = [];
    bytes = 0;
  }
  yield Buffer.concat(chunk, bytes);
}
