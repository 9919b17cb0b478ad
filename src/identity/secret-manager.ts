/**
 * Keeps the workload certificate fresh, whoever makes it.
 *
 * The served secret is replaced only by a checked newer one: whatever fails on the way leaves the old one in use.
 */
import type { ReadonlyWatch } from "../lifecycle/watch.ts";
import { CaSource } from "./ca-source.ts";
import { FileSource } from "./file-source.ts";
import type { IdentityState } from "./identity-state.ts";
import type { IdentityOptions } from "./options.ts";
import { SdsSource } from "./sds-source.ts";
import { type IdentityDependencies, SecretStore } from "./secret-store.ts";
import { WorkloadApiSource } from "./workload-api-source.ts";

/** Follows the source; `run` does the work. */
export class SecretManager {
  readonly #store: SecretStore;
  readonly #run: (signal: AbortSignal) => Promise<void>;

  private constructor(options: IdentityOptions, deps: IdentityDependencies) {
    const store = new SecretStore(deps);
    this.#store = store;
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
    await Promise.all([this.#run(signal), this.#store.followTrustBundles(signal)]);
  }
}
