/**
 * Extension configurations whose Wasm module is somewhere else: the module is fetched, and Envoy is told a file.
 *
 * A module that cannot be had does not keep Envoy waiting: an RBAC filter takes its place that allows or denies
 * everything, as the plugin's failure policy says, until the module is there.
 */
import { backoffDelayMs } from "../lifecycle/backoff.ts";
import { errorCode, errorMessage } from "../lifecycle/error-message.ts";
import { MemoryRelease } from "../process/memory-release.ts";
import { sleep } from "../lifecycle/sleep.ts";
import { Deadline } from "../lifecycle/timer.ts";
import { readSystemRoots } from "../pki/system-roots.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { createAddressGuard } from "./fetch/address-guard.ts";
import { GuardedHttp } from "./fetch/guarded-http.ts";
import { WasmFetchError } from "./fetch-error.ts";
import { type FetchDependencies, type FetchedModule, fetchModule } from "./fetch-module.ts";
import { WasmMetrics } from "./metrics.ts";
import { describeUrl, type ModuleSource, parseModuleUrl } from "./module-source.ts";
import type { WasmOptions } from "./options.ts";
import { type Plugin, readPlugin, type RemoteModule } from "./plugin.ts";
import { wantedChecksum } from "./pull-decision.ts";
import { SharedFetches } from "./shared-fetches.ts";
import { standIn } from "./stand-in.ts";
import { ModuleStore } from "./store/module-store.ts";
import { sha256Of } from "./store/sha256.ts";

/** What Envoy is to get instead of a TypedExtensionConfig. */
export type Rewritten =
  | { readonly kind: "unchanged" }
  | {
      readonly kind: "replaced";
      readonly resource: Uint8Array;
      /** Of a stand-in: the configuration with its module, once that is there; undefined after an abort. */
      readonly later?: Promise<Uint8Array | undefined>;
    }
  /** No configuration that Envoy could use. */
  | { readonly kind: "refused"; readonly reason: string };

type Known = Extract<Plugin, { kind: "file" | "remote" }>;

/** Modules that are fetched at once. */
const mostFetches = 4;

const unchanged: Rewritten = { kind: "unchanged" };

/** Rewrites for all of the agent's Envoys. */
export class WasmExtensions {
  readonly #deps: FetchDependencies;
  readonly #log: Logger;
  readonly #memory = new MemoryRelease();
  readonly #fetches = new SharedFetches<FetchedModule>(mostFetches);
  /** Path of the module that each resource has now. */
  readonly #inUse = new Map<string, string>();

  private constructor(deps: FetchDependencies, log: Logger) {
    this.#deps = deps;
    this.#log = log;
  }

  /** Take up the modules of an earlier agent. */
  static async open(options: WasmOptions, log: Logger, metrics: Metrics): Promise<WasmExtensions> {
    const store = await ModuleStore.open(options.folder, (path) => {
      log.warn("the index of the Wasm modules is damaged and begins anew", { path });
    });
    const { insecureRegistries, requestTimeoutMs, tlsPolicy } = options;
    const http = new GuardedHttp({
      guard: createAddressGuard(options.blockedCidrs),
      roots: () => readSystemRoots(),
      ...{ insecureRegistries, requestTimeoutMs, tlsPolicy },
    });
    return new WasmExtensions(
      { options, http, store, metrics: new WasmMetrics(metrics, () => store.entries) },
      log,
    );
  }

  /** Remove modules that nothing uses any more, until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { options, store } = this.#deps;
    for (;;) {
      await sleep(options.purgeIntervalMs, signal);
      if (signal.aborted) return;
      try {
        const removed = await store.purge(options.moduleExpiryMs, new Set(this.#inUse.values()));
        if (removed > 0) this.#log.info("unused Wasm modules removed", { removed });
      } catch (error) {
        this.#log.warn("unused Wasm modules cannot be removed", { reason: errorMessage(error) });
      }
    }
  }

  /**
   * What Envoy is to get.
   *
   * @param signal aborts when the answer, or what comes later, is of no use any more
   */
  async rewrite(extension: Uint8Array, signal: AbortSignal): Promise<Rewritten> {
    const started = performance.now();
    const plugin = readPlugin(extension);
    const { metrics } = this.#deps;
    const took = (): number => performance.now() - started;
    switch (plugin.kind) {
      case "other":
        metrics.converted("no_remote_load", took());
        return unchanged;
      case "broken":
        metrics.converted(plugin.result, took());
        return { kind: "refused", reason: `Wasm filter ${JSON.stringify(plugin.name)}: ${plugin.reason}` };
      case "file":
        metrics.converted("no_remote_load", took());
        return this.#keep(plugin);
      case "remote": {
        const rewritten = await this.#fetch(plugin, signal);
        if (signal.aborted) return unchanged;
        metrics.converted(rewritten.later === undefined ? "success" : "fetch_failure", took());
        return rewritten;
      }
    }
  }

  /** Envoy has no use for these resources' modules any more. */
  retire(names: readonly string[]): void {
    for (const name of names) this.#inUse.delete(name);
  }

  /** A configuration that was rewritten earlier, and kept: its file may be gone. */
  async #keep(plugin: Extract<Plugin, { kind: "file" }>): Promise<Rewritten> {
    const { store } = this.#deps;
    if (!store.owns(plugin.path)) return unchanged;
    if (await store.isThere(plugin.path)) {
      this.#inUse.set(plugin.name, plugin.path);
      return unchanged;
    }
    return { kind: "replaced", resource: this.#standIn(plugin, plugin.path, "its file is gone") };
  }

  async #fetch(
    plugin: Extract<Plugin, { kind: "remote" }>,
    signal: AbortSignal,
  ): Promise<Extract<Rewritten, { kind: "replaced" }>> {
    try {
      return { kind: "replaced", resource: await this.#withModule(plugin, signal) };
    } catch (error) {
      const { name, filter, failOpen, module } = plugin;
      if (signal.aborted) return { kind: "replaced", resource: standIn(name, filter, failOpen) };
      const extension = this.#standIn(plugin, describeUrl(module.url), this.#reason(error, module));
      return { kind: "replaced", resource: extension, later: this.#later(plugin, signal) };
    }
  }

  async #withModule(plugin: Extract<Plugin, { kind: "remote" }>, signal: AbortSignal): Promise<Uint8Array> {
    const path = await this.#module(plugin.name, plugin.module, signal);
    this.#inUse.set(plugin.name, path);
    return plugin.withFile(path);
  }

  /** Fetch again, ever more rarely, what could not be had: the registry may come back, the image may be pushed. */
  async #later(
    plugin: Extract<Plugin, { kind: "remote" }>,
    signal: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    const { name, module } = plugin;
    for (let failures = 0; ; failures += 1) {
      await sleep(backoffDelayMs(this.#deps.options.refetch, failures, Math.random()), signal);
      if (signal.aborted) return undefined;
      try {
        const extension = await this.#withModule(plugin, signal);
        this.#log.info("Wasm module is there at last", { resource: name, url: describeUrl(module.url) });
        return extension;
      } catch (error) {
        this.#log.debug("Wasm module is still not there", {
          resource: name,
          reason: this.#reason(error, module),
        });
      }
    }
  }

  #standIn({ name, filter, failOpen }: Known, url: string, reason: string): Uint8Array {
    this.#inUse.delete(name);
    this.#log.warn("Wasm module cannot be loaded", {
      resource: name,
      url,
      instead: failOpen ? "traffic passes without it" : "traffic is denied",
      reason,
    });
    return standIn(name, filter, failOpen);
  }

  /** Path of the module. @throws WasmFetchError, or a system error */
  async #module(resource: string, module: RemoteModule, signal: AbortSignal): Promise<string> {
    const { store, metrics } = this.#deps;
    const source = parseModuleUrl(module.url);
    if (source === undefined)
      throw new WasmFetchError("fetch_failure", "its URL is none of http://, https:// and oci://");
    if (module.sha256 !== undefined && !/^[0-9a-f]{64}$/.test(module.sha256))
      throw new WasmFetchError("checksum_mismatched", "its sha256 is not of 64 hexadecimal digits");
    const wanted = wantedChecksum(source, module, resource, store.pulled(module.url));
    const found = wanted === undefined ? undefined : await store.find(source.name, wanted);
    metrics.lookedUp(found !== undefined);
    if (wanted !== undefined && found !== undefined) {
      store.notePull(module.url, wanted, resource, module.resourceVersion);
      return found;
    }
    const { path, checksum } = await this.#shared(source, module, signal);
    store.notePull(module.url, checksum, resource, module.resourceVersion);
    return path;
  }

  #shared(source: ModuleSource, module: RemoteModule, signal: AbortSignal): Promise<FetchedModule> {
    const { url, sha256, pullSecret } = module;
    const key = sha256Of(JSON.stringify([url, sha256, pullSecret]));
    return this.#fetches.get(
      key,
      async (stop) => {
        const { metrics } = this.#deps;
        const started = performance.now();
        using limit = new Deadline(module.timeoutMs);
        try {
          const deadline = AbortSignal.any([stop, limit.signal]);
          const fetched = await fetchModule(source, module, this.#deps, deadline);
          metrics.fetched("success");
          this.#memory.passed(fetched.bytes);
          this.#log.info("Wasm module fetched", {
            url: describeUrl(url),
            checksum: fetched.checksum,
            tookMs: Math.round(performance.now() - started),
          });
          return fetched;
        } catch (error) {
          if (!stop.aborted) metrics.fetched(error instanceof WasmFetchError ? error.code : "fetch_failure");
          throw error;
        }
      },
      signal,
    );
  }

  #reason(error: unknown, { timeoutMs }: RemoteModule): string {
    if (error instanceof Error && error.name === "TimeoutError")
      return `it was not there within ${timeoutMs} ms`;
    const isOfTheDisk = !(error instanceof WasmFetchError) && errorCode(error) !== undefined;
    if (!isOfTheDisk) return errorMessage(error);
    const { folder } = this.#deps.options;
    return `${errorMessage(error)}: make ${folder} writable, or name another folder in --wasmFolder`;
  }
}
