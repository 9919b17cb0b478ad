/**
 * The last good key and chain, kept in a folder so that an agent that restarts while the CA is down serves at once.
 *
 * A private key in a file is a risk of its own: the folder must be memory unless that is waived, and nobody else's to
 * write; the file is the agent's alone, and one that others could have read or written is not used.
 */
import { lstatSync, statfsSync } from "node:fs";
import { dirname, join } from "node:path";
import { writeFileAtomic } from "../files/atomic-file.ts";
import { FolderNotOursError, inOwnFolder, makeOwnFolder, removeFromOwnFolder } from "../files/own-folder.ts";
import type { Actor } from "../files/ownership.ts";
import { readOwnText, readRegularText } from "../files/read-regular-file.ts";
import type { Backoff } from "../lifecycle/backoff.ts";
import { errorCode, errorMessage } from "../lifecycle/error-message.ts";
import { retrying } from "../lifecycle/retry.ts";
import { readCertificate } from "../pki/certificate.ts";
import type { Logger } from "../telemetry/log.ts";
import type { CounterMetric } from "../telemetry/metrics.ts";
import type { IdentityCacheOptions } from "./options.ts";
import type { IdentityDependencies, SecretStore } from "./secret-store.ts";
import { age, readClaims } from "./token.ts";
import { checkGivenSecret, type WorkloadSecret } from "./workload-secret.ts";

/** Magic numbers of tmpfs and ramfs (statfs(2)). */
const memoryFileSystems: ReadonlySet<number> = new Set([0x0102_1994, 0x8584_58f6]);

/** No name that somebody takes for a log or a bootstrap. */
const fileName = "identity.secret";

/** Between two tries to write: a full disk may get room again. */
const backoff: Backoff = { initialMs: 1_000, multiplier: 2, maxMs: 10_000, jitter: 0.2 };

/** Whose certificate is looked for. */
export interface ExpectedIdentity {
  /** For people. */
  readonly name: string;
  readonly accepts: (spiffeId: string) => boolean;
  /** File of the token that stands for it at its CA; undefined where there is none. */
  readonly tokenPath: string | undefined;
}

/** What an earlier run has left. */
export interface KeptIdentity {
  readonly secret: WorkloadSecret;
  readonly keptAt: Date;
}

/**
 * When a certificate was kept, and until when it is valid: for those who look from beside the agent.
 *
 * @param actor the agent's user; this process' unless told
 * @throws the system error, or why it is none
 */
export function keptIdentity(
  folder: string,
  actor?: Actor,
): { readonly keptAt: Date; readonly notAfter: Date } {
  const path = join(folder, fileName);
  const { mtime } = lstatSync(path);
  const { certificateChainPem } = asGiven(JSON.parse(readOwnText(path, { actor })));
  return { keptAt: mtime, notAfter: readCertificate(certificateChainPem).notAfter };
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
  #isTold = false;

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
  load(now: Date): KeptIdentity | undefined {
    const path = this.#path;
    try {
      const { mode, mtime } = lstatSync(path);
      if ((mode & 0o077) !== 0) throw new Error("others than this user may read or write it");
      const kept: unknown = JSON.parse(readOwnText(path));
      const secret = checkGivenSecret(asGiven(kept), `the kept certificate ${path}`, now);
      if (!this.#expected.accepts(secret.spiffeId))
        throw new Error(`it is for ${secret.spiffeId}, not for ${this.#expected.name}`);
      if (secret.notBefore > now) throw new Error("it is not valid yet");
      this.#log.info("serving the certificate of an earlier run until a new one comes", {
        path,
        notAfter: secret.notAfter.toISOString(),
        certificateAge: age(mtime, now),
        endsIn: age(now, secret.notAfter),
        token: this.#describeToken(now),
      });
      this.#kept = secret;
      return { secret, keptAt: mtime };
    } catch (error) {
      if (errorCode(error) !== "ENOENT")
        this.#log.info("the kept certificate is not used", { path, reason: errorMessage(error) });
      return undefined;
    }
  }

  /** What the CA will be shown for the next certificate. */
  #describeToken(now: Date): string | undefined {
    const { tokenPath } = this.#expected;
    if (tokenPath === undefined) return undefined;
    try {
      const { iat, exp } = readClaims(readRegularText(tokenPath).trim()) ?? {};
      const issued = iat === undefined ? "of unknown age" : `${age(iat, now)} old`;
      if (exp === undefined) return issued;
      return `${issued}, ${exp > now ? `ends in ${age(now, exp)}` : `expired ${age(exp, now)} ago`}`;
    } catch (error) {
      return errorMessage(error);
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
    const { folder, isAutomatic = false } = this.#options;
    const fail = (error: unknown, failures: number): void => {
      const fields = { folder, reason: errorMessage(error) };
      if (isAutomatic && isFinal(error)) {
        if (!this.#isTold) this.#log.info("the certificate is not kept for a restart", fields);
        this.#isTold = true;
        return;
      }
      this.#failures.inc();
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
        isFinal,
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
    if (!allowDisk) requireMemory(folder);
    makeOwnFolder(folder);
    const federated = Object.fromEntries(federatedBundles ?? []);
    const kept = { certificateChainPem, privateKeyPem, rootPem, federated, crlPem };
    const isInMemory = inOwnFolder(folder, (anchored) => {
      // It may be another one by now.
      if (!allowDisk) requireMemory(anchored);
      writeFileAtomic(join(anchored, fileName), JSON.stringify(kept), 0o600);
      return isMemory(anchored);
    });
    if (!this.#isTold) this.#log.info("the certificate is kept for a restart", { folder, isInMemory });
    this.#isTold = true;
  }

  /** What was taken back must not come again with a restart. */
  #forget(): void {
    this.#kept = undefined;
    try {
      removeFromOwnFolder(this.#options.folder, [fileName]);
    } catch (error) {
      const fields = { path: this.#path, reason: errorMessage(error) };
      this.#log.warn("the kept certificate was taken back and cannot be removed", fields);
    }
  }
}

function isFinal(error: unknown): boolean {
  return error instanceof NotInMemoryError || error instanceof FolderNotOursError;
}

/** A folder that is not there yet will be where the one above it is. @throws NotInMemoryError, the system error */
function requireMemory(folder: string): void {
  try {
    if (isMemory(folder)) return;
  } catch (error) {
    if (errorCode(error) !== "ENOENT" || dirname(folder) === folder) throw error;
    requireMemory(dirname(folder));
    return;
  }
  throw new NotInMemoryError(
    "the folder is not in memory (tmpfs): name one that is, or allow it with --identityCacheOnDisk",
  );
}

function isMemory(folder: string): boolean {
  return memoryFileSystems.has(statfsSync(folder).type);
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
