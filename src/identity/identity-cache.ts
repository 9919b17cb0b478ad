/**
 * The last good key and chain, kept in a folder so that an agent that restarts while the CA is down serves at once.
 *
 * A private key in a file is a risk of its own: the folder must be memory unless that is waived, the file is the
 * agent's alone, and one that others could have read or written is not used.
 */
import { readFileSync, statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "../lifecycle/atomic-file.ts";
import { errorCode, errorMessage } from "../lifecycle/error-message.ts";
import { makeFolder } from "../lifecycle/folder.ts";
import type { Logger } from "../telemetry/log.ts";
import type { IdentityCacheOptions } from "./options.ts";
import { checkGivenSecret, type WorkloadSecret } from "./workload-secret.ts";

/** Magic numbers of tmpfs and ramfs (statfs(2)). */
const memoryFileSystems: ReadonlySet<number> = new Set([0x0102_1994, 0x8584_58f6]);

const fileName = "identity.json";

/** One file. */
export class IdentityCache {
  readonly #options: IdentityCacheOptions;
  readonly #spiffeId: string;
  readonly #log: Logger;

  constructor(options: IdentityCacheOptions, spiffeId: string, log: Logger) {
    this.#options = options;
    this.#spiffeId = spiffeId;
    this.#log = log;
  }

  /** What was kept, if it can be served now. */
  load(now: Date): WorkloadSecret | undefined {
    const path = join(this.#options.folder, fileName);
    try {
      const { mode, uid } = statSync(path);
      if ((mode & 0o077) !== 0 || uid !== process.getuid?.())
        throw new Error("others than this user may read or write it");
      const kept: unknown = JSON.parse(readFileSync(path, "utf8"));
      const secret = checkGivenSecret(asGiven(kept), `the kept certificate ${path}`, now);
      if (secret.spiffeId !== this.#spiffeId)
        throw new Error(`it is for ${secret.spiffeId}, not for ${this.#spiffeId}`);
      if (secret.notBefore > now) throw new Error("it is not valid yet");
      this.#log.info("serving the certificate of an earlier run until the CA answers", {
        path,
        notAfter: secret.notAfter.toISOString(),
      });
      return secret;
    } catch (error) {
      if (errorCode(error) !== "ENOENT")
        this.#log.info("the kept certificate is not used", { path, reason: errorMessage(error) });
      return undefined;
    }
  }

  /** Keep `secret` instead of the one before. A failure is a warning: the certificate in memory is good. */
  keep({ certificateChainPem, privateKeyPem, rootPem }: WorkloadSecret): void {
    const { folder, allowDisk } = this.#options;
    try {
      makeFolder(folder, 0o700);
      if (!allowDisk && !memoryFileSystems.has(statfsSync(folder).type)) {
        throw new Error(
          "the folder is not in memory (tmpfs): name one that is, or allow it with --identityCacheOnDisk",
        );
      }
      writeFileAtomic(
        join(folder, fileName),
        JSON.stringify({ certificateChainPem, privateKeyPem, rootPem }),
        0o600,
      );
    } catch (error) {
      this.#log.warn("the certificate is not kept for a restart", { folder, reason: errorMessage(error) });
    }
  }
}

function asGiven(kept: unknown): Parameters<typeof checkGivenSecret>[0] {
  const fields = (typeof kept === "object" && kept !== null ? kept : {}) as Readonly<Record<string, unknown>>;
  const text = (name: string): string => {
    const value = fields[name];
    if (typeof value !== "string") throw new Error(`it has no ${name}`);
    return value;
  };
  return {
    certificateChainPem: text("certificateChainPem"),
    privateKeyPem: text("privateKeyPem"),
    rootPem: text("rootPem"),
  };
}
