/**
 * The last good key and chain, kept in a folder so that an agent that restarts while the CA is down serves at once.
 *
 * A private key in a file is a risk of its own: the folder must be memory unless that is waived, the file is the
 * agent's alone, and one that others could have read or written is not used.
 */
import { readFileSync, rmSync, statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "../files/atomic-file.ts";
import type { Backoff } from "../lifecycle/backoff.ts";
import { errorCode, errorMessage } from "../lifecycle/error-message.ts";
import { makeFolder } from "../files/folder.ts";
import { retrying } from "../lifecycle/retry.ts";
import type { Logger } from "../telemetry/log.ts";
import type { CounterMetric } from "../telemetry/metrics.ts";
import type { IdentityCacheOptions } from "./options.ts";
import type { IdentityDependencies, SecretStore } from "./secret-store.ts";
import { checkGivenSecret, type WorkloadSecret } from "./workload-secret.ts";

/** Magic numbers of tmpfs and ramfs (statfs(2)). */
const memoryFileSystems: ReadonlySet<number> = new Set([0x0102_1994, 0x8584_58f6]);

const fileName = "identity.json";

/** Between two tries to write: a full disk may get room again. */
const backoff: Backoff = { initialMs: 1_000, multiplier: 2, maxMs: 10_000, jitter: 0.2 };

/** Whose certificate is looked for. */
export interface ExpectedIdentity {
  /** For people. */
  readonly name: string;
  readonly accepts: (spiffeId: string) => boolean;
}

/** No further try would help. */
class NotInMemoryError extends Error {}

/** One file; `follow` keeps it. */
export class IdentityCache {
  readonly #options: IdentityCacheOptions;
  readonly #path: string;
  readonly #expected: ExpectedIdentity;
  readonly #log: Logger;
  readonly #failures: CounterMetric;
  /** What the file holds. */
  #kept: WorkloadSecret | undefined;

  constructor(
    options: IdentityCacheOptions,
    expected: ExpectedIdentity,
    { log, metrics }: Pick<IdentityDependencies, "log" | "metrics">,
  ) {
    this.#options = options;
    this.#path = join(options.folder, fileName);
    this.#expected = expected;
    this.#log = log;
    this.#failures = metrics.counter(
      "identity_cache_failures_total",
      "Tries to keep the certificate for a restart that failed.",
    );
  }

  /** What was kept, if it can be served now. */
  load(now: Date): WorkloadSecret | undefined {
    const path = this.#path;
    try {
      const { mode, uid } = statSync(path);
      if ((mode & 0o077) !== 0 || uid !== process.getuid?.())
        throw new Error("others than this user may read or write it");
      const kept: unknown = JSON.parse(readFileSync(path, "utf8"));
      const secret = checkGivenSecret(asGiven(kept), `the kept certificate ${path}`, now);
      if (!this.#expected.accepts(secret.spiffeId))
        throw new Error(`it is for ${secret.spiffeId}, not for ${this.#expected.name}`);
      if (secret.notBefore > now) throw new Error("it is not valid yet");
      this.#log.info("serving the certificate of an earlier run until a new one comes", {
        path,
        notAfter: secret.notAfter.toISOString(),
      });
      this.#kept = secret;
      return secret;
    } catch (error) {
      if (errorCode(error) !== "ENOENT")
        this.#log.info("the kept certificate is not used", { path, reason: errorMessage(error) });
      return undefined;
    }
  }

  /**
   * Keep each secret instead of the one before, and none once it is taken back, until `signal` aborts. A failure is
   * a warning: the certificate in memory is good.
   */
  async follow(store: SecretStore, signal: AbortSignal): Promise<void> {
    for await (const _ of store.state.changes(signal)) {
      if (store.own === this.#kept) continue;
      if (store.own === undefined) this.#forget();
      else await this.#keepNewest(store, signal);
    }
  }

  async #keepNewest(store: SecretStore, signal: AbortSignal): Promise<void> {
    const { folder } = this.#options;
    const fail = (error: unknown, failures: number): void => {
      this.#failures.inc();
      const fields = { folder, reason: errorMessage(error) };
      if (failures === 1) this.#log.warn("the certificate is not kept for a restart", fields);
      else this.#log.debug("the certificate is still not kept for a restart", fields);
    };
    const keep = (): Promise<WorkloadSecret | undefined> => {
      const newest = store.own;
      if (newest !== undefined) this.#write(newest);
      return Promise.resolve(newest);
    };
    try {
      let failed = 0;
      this.#kept = await retrying(async () => keep(), {
        backoff,
        signal,
        isFinal: (error) => error instanceof NotInMemoryError,
        onFailure: ({ error, failures }) => {
          failed = failures;
          fail(error, failures);
        },
      });
      if (failed > 0) this.#log.info("the certificate is kept for a restart again", { folder });
    } catch (error) {
      if (!signal.aborted) fail(error, 1);
      this.#kept = store.own;
    }
  }

  #write({ certificateChainPem, privateKeyPem, rootPem, federatedBundles, crlPem }: WorkloadSecret): void {
    const { folder, allowDisk } = this.#options;
    makeFolder(folder, 0o700);
    if (!allowDisk && !memoryFileSystems.has(statfsSync(folder).type)) {
      throw new NotInMemoryError(
        "the folder is not in memory (tmpfs): name one that is, or allow it with --identityCacheOnDisk",
      );
    }
    const federated = Object.fromEntries(federatedBundles ?? []);
    const kept = { certificateChainPem, privateKeyPem, rootPem, federated, crlPem };
    writeFileAtomic(this.#path, JSON.stringify(kept), 0o600);
  }

  /** What was taken back must not come again with a restart. */
  #forget(): void {
    this.#kept = undefined;
    rmSync(this.#path, { force: true });
  }
}

function asGiven(kept: unknown): Parameters<typeof checkGivenSecret>[0] {
  const fields = asRecord(kept);
  const text = (of: Readonly<Record<string, unknown>>, name: string): string => {
    const value = of[name];
    if (typeof value !== "string") throw new Error(`it has no ${name}`);
    return value;
  };
  const federated = asRecord(fields["federated"]);
  return {
    certificateChainPem: text(fields, "certificateChainPem"),
    privateKeyPem: text(fields, "privateKeyPem"),
    rootPem: text(fields, "rootPem"),
    ...(fields["crlPem"] === undefined ? {} : { crlPem: text(fields, "crlPem") }),
    federatedBundles: new Map(Object.keys(federated).map((name) => [name, text(federated, name)])),
  };
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return (typeof value === "object" && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
}
