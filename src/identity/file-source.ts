/**
 * A certificate in mounted files, which somebody else replaces.
 *
 * Key and certificate may be written one after the other: until they are a pair again, the old pair stays in use.
 */
import { FileFollower, type FileTexts } from "../files/file-follower.ts";
import { restingMs, TickWait, ticks } from "../lifecycle/tick.ts";
import { ClockJumps } from "../lifecycle/wall-clock.ts";
import { IdentityError } from "./identity-error.ts";
import { type IdentityFiles, pathsOf } from "./options.ts";
import type { CounterMetric } from "../telemetry/metrics.ts";
import type { IdentityDependencies, SecretStore } from "./secret-store.ts";
import { checkGivenSecret, isSameSecret, type WorkloadSecret } from "./workload-secret.ts";

/** Between two looks at the clock while what the files hold is not valid yet, in milliseconds. */
const heldEveryMs = 1_000;

/** Follows the files. */
export class FileSource {
  readonly #files: IdentityFiles;
  readonly #store: SecretStore;
  readonly #now: () => Date;
  readonly #failures: CounterMetric;
  readonly #unwatched: CounterMetric;
  /** As they were read last. */
  #texts: FileTexts | undefined;
  readonly #clockWait = new TickWait();
  /** Read and checked, but not valid yet. */
  #held: WorkloadSecret | undefined;

  constructor(
    files: IdentityFiles,
    store: SecretStore,
    { now, metrics }: Pick<IdentityDependencies, "now" | "metrics">,
  ) {
    this.#files = files;
    this.#store = store;
    this.#now = now;
    this.#failures = metrics.counter(
      "num_file_secret_failures_total",
      "Times that the mounted files were no certificate that can be served.",
    );
    this.#unwatched = metrics.counter(
      "num_file_watcher_failures_total",
      "Times that the kernel did not watch the folder of a mounted certificate, which is looked at instead.",
    );
  }

  /** Serve what is there, then each change, until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const follower = new FileFollower(
      () => pathsOf(this.#files),
      (texts) => {
        this.#take(texts);
      },
      () => {
        this.#unwatched.inc();
      },
    );
    await Promise.all([follower.run(signal), this.#followClock(signal)]);
  }

  #take(texts: FileTexts): void {
    this.#texts = texts;
    this.#held = undefined;
    try {
      const secret = this.#check(texts);
      const inUse = this.#store.own;
      if (secret.notBefore > this.#now()) this.#hold(secret);
      else if (inUse === undefined || !isSameSecret(secret, inUse)) this.#publish(secret);
      else this.#store.settle();
    } catch (error) {
      this.#failures.inc();
      this.#store.report(error);
    }
  }

  #check(texts: FileTexts): WorkloadSecret {
    const unreadable = [...texts].flatMap(([path, text]) =>
      text.kind === "read" ? [] : [`${path} cannot be read: ${text.reason}`],
    );
    if (unreadable.length > 0) {
      throw new IdentityError(
        "FILES_MISSING",
        `${unreadable.join("; ")}. Mount the key, the chain and the root there`,
      );
    }
    const textOf = (path: string): string => {
      const text = texts.get(path);
      return text?.kind === "read" ? text.text : "";
    };
    const { certificateChainPath, privateKeyPath, rootCertificatePath } = this.#files;
    return checkGivenSecret(
      {
        certificateChainPem: textOf(certificateChainPath),
        privateKeyPem: textOf(privateKeyPath),
        rootPem: textOf(rootCertificatePath),
      },
      `the mounted certificate ${certificateChainPath} with the key ${privateKeyPath} and the root ${rootCertificatePath}`,
      this.#now(),
    );
  }

  #publish(secret: WorkloadSecret): void {
    this.#store.publish(secret, { source: `the file ${this.#files.certificateChainPath}` });
  }

  #hold(secret: WorkloadSecret): void {
    this.#held = secret;
    this.#clockWait.hasten();
    this.#store.report(
      new IdentityError(
        "CERTIFICATE_NOT_YET_VALID",
        `the mounted certificate ${this.#files.certificateChainPath} is valid from ${secret.notBefore.toISOString()} on: ` +
          "it is held until then; compare the clocks of this machine and of whoever made it",
      ),
    );
  }

  /** What is held becomes valid, and what nobody replaces expires, without any file changing; a clock is set. */
  async #followClock(signal: AbortSignal): Promise<void> {
    const jumps = new ClockJumps(this.#now);
    let expired: WorkloadSecret | undefined;
    const everyMs = (): number => (this.#held === undefined ? restingMs : heldEveryMs);
    for await (const _ of ticks(everyMs, signal, this.#clockWait)) {
      if (jumps.take() !== 0 && this.#texts !== undefined) {
        expired = undefined;
        this.#take(this.#texts);
      }
      const now = this.#now();
      const held = this.#held;
      if (held !== undefined && held.notBefore <= now) {
        this.#held = undefined;
        this.#publish(held);
      }
      const { secret } = this.#store.state.current;
      if (secret !== undefined && secret.notAfter <= now && secret !== expired) {
        expired = secret;
        this.#store.report(
          new IdentityError(
            "CERTIFICATE_INVALID",
            `the mounted certificate ${this.#files.certificateChainPath} expired at ${secret.notAfter.toISOString()} ` +
              "and has not been replaced: look at whoever writes it",
          ),
        );
      }
    }
  }
}
