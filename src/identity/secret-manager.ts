/**
 * Keeps the workload certificate fresh, whoever makes it.
 *
 * The served secret is replaced only by a checked newer one: whatever fails on the way leaves the old one in use.
 */
import { clockJumps } from "../lifecycle/wall-clock.ts";
import type { ReadonlyWatch } from "../lifecycle/watch.ts";
import { isSameWorkload, parseSpiffeId } from "../pki/spiffe-id.ts";
import { askedIdentity, CaSource } from "./ca-source.ts";
import { FileSource } from "./file-source.ts";
import { type ExpectedIdentity, IdentityCache } from "./identity-cache.ts";
import type { IdentityState } from "./identity-state.ts";
import type { IdentityOptions } from "./options.ts";
import { SdsSource } from "./sds-source.ts";
import { type IdentityDependencies, SecretStore } from "./secret-store.ts";
import { WorkloadApiSource } from "./workload-api-source.ts";

/** Follows the source; `run` does the work. */
export class SecretManager {
  readonly #store: SecretStore;
  readonly #cache: IdentityCache | undefined;
  readonly #now: () => Date;
  readonly #run: (signal: AbortSignal) => Promise<void>;

  private constructor(options: IdentityOptions, deps: IdentityDependencies) {
    const store = new SecretStore(deps);
    this.#store = store;
    this.#now = deps.now;
    const expected = expectedIdentity(options);
    this.#cache =
      options.cache === undefined || expected === undefined
        ? undefined
        : new IdentityCache(options.cache, expected, deps);
    const { source } = options;
    switch (source.kind) {
      case "ca": {
        const ca = new CaSource(options, store, deps);
        this.#run = (signal) => ca.run(signal);
        break;
      }
      case "files": {
        const files = new FileSource(source.files, store, deps);
        this.#run = (signal) => files.run(signal);
        break;
      }
      case "workload-api": {
        const api = new WorkloadApiSource(source.target, options.trustDomain, store, deps);
        this.#run = (signal) => api.run(signal);
        break;
      }
      case "external-sds": {
        const sds = new SdsSource(source, store, deps);
        this.#run = (signal) => sds.run(signal);
        break;
      }
    }
  }

  /** Nothing is fetched before `run`. */
  static create(options: IdentityOptions, deps: IdentityDependencies): SecretManager {
    return new SecretManager(options, deps);
  }

  get state(): ReadonlyWatch<IdentityState> {
    return this.#store.state;
  }

  /** Fetch, follow what changes, fetch again, until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const store = this.#store;
    this.#serveKept();
    await Promise.all([
      this.#run(signal),
      store.followTrustBundles(signal),
      this.#cache?.follow(store, signal),
      this.#followClock(signal),
    ]);
  }

  #serveKept(): void {
    const kept = this.#cache?.load(this.#now());
    if (kept === undefined) return;
    this.#store.publish(kept.secret, { source: "the identity cache", receivedAt: kept.keptAt });
  }

  /** A machine that boots with a wrong clock takes what was kept for expired, or not valid yet. */
  async #followClock(signal: AbortSignal): Promise<void> {
    if (this.#cache === undefined) return;
    for await (const _ of clockJumps(this.#now, signal)) if (this.#store.own === undefined) this.#serveKept();
  }
}

/** Whose certificate may be kept for a restart; undefined where it is in files, or Envoy has it from elsewhere. */
function expectedIdentity(options: IdentityOptions): ExpectedIdentity | undefined {
  switch (options.source.kind) {
    case "ca": {
      const name = askedIdentity(options);
      const { tokenPath } = options;
      return { name, accepts: (spiffeId) => isSameWorkload(name, spiffeId), tokenPath };
    }
    case "workload-api": {
      // The Workload API says whose trust domain this is.
      const accepts = (spiffeId: string): boolean => parseSpiffeId(spiffeId) !== undefined;
      return { name: "a SPIFFE ID", accepts, tokenPath: undefined };
    }
    case "files":
    case "external-sds":
      return undefined;
  }
}
