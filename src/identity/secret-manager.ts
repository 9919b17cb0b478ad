/**
 * Keeps the workload certificate fresh.
 *
 * The served secret is replaced only by a checked newer one: whatever fails on the way leaves the old one in use.
 */
import { createCertificateRequest } from "../pki/certificate-request.ts";
import { type Backoff, backoffDelayMs } from "../lifecycle/backoff.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { sleep } from "../lifecycle/sleep.ts";
import { type ReadonlyWatch, Watch } from "../lifecycle/watch.ts";
import type { Logger } from "../telemetry/log.ts";
import type { CounterMetric, Metrics } from "../telemetry/metrics.ts";
import { signRequest } from "./ca-client.ts";
import { IdentityError, type IdentityErrorCode } from "./identity-error.ts";
import type { IdentityOptions } from "./options.ts";
import { rotationDelayMs } from "./rotation.ts";
import { checkSecret, type WorkloadSecret } from "./workload-secret.ts";

/** The secret in use, if any, and what keeps a newer one from coming, if anything. */
export interface IdentityState {
  readonly secret?: WorkloadSecret;
  readonly problem?: { readonly code: IdentityErrorCode; readonly message: string };
}

/** Where the manager reports. */
export interface IdentityDependencies {
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** Istio's back-off between attempts. */
const retryBackoff: Backoff = { initialMs: 500, multiplier: 1.5, maxMs: 60_000, jitter: 0.5 };

/** The share of what is left of a lifetime that one wait may use up. */
const largestShareOfRest = 0.25;

/** Fetches and rotates; `run` does the work. */
export class SecretManager {
  readonly #options: IdentityOptions;
  readonly #log: Logger;
  readonly #state = new Watch<IdentityState>({});
  readonly #requests: CounterMetric;
  readonly #failures: CounterMetric;
  readonly #retries: CounterMetric;

  private constructor(options: IdentityOptions, { log, metrics }: IdentityDependencies) {
    this.#options = options;
    this.#log = log;
    const type = ["request_type"];
    this.#requests = metrics.counter("num_outgoing_requests", "Requests to the CA.", type);
    this.#failures = metrics.counter("num_failed_outgoing_requests", "Requests to the CA that failed.", type);
    this.#retries = metrics.counter(
      "num_outgoing_retries",
      "Requests to the CA that were tried again.",
      type,
    );
    metrics.computed(
      "cert_expiry_seconds",
      "Seconds until the workload certificate expires.",
      { resource_name: "default" },
      () => {
        const { secret } = this.#state.current;
        return secret === undefined ? undefined : (secret.notAfter.getTime() - Date.now()) / 1_000;
      },
    );
  }

  /** Nothing is fetched before `run`. */
  static create(options: IdentityOptions, deps: IdentityDependencies): SecretManager {
    return new SecretManager(options, deps);
  }

  get state(): ReadonlyWatch<IdentityState> {
    return this.#state;
  }

  /** Fetch, wait until rotation is due, fetch again, until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted;) {
      const secret = await this.#attempt(signal, failures);
      if (signal.aborted) return;
      failures = secret === undefined ? failures + 1 : 0;
      const waitMs = secret === undefined ? this.#retryDelayMs(failures) : this.#rotationDelayMs(secret);
      await sleep(waitMs, signal);
    }
  }

  async #attempt(signal: AbortSignal, failures: number): Promise<WorkloadSecret | undefined> {
    const labels = { request_type: "csr" };
    this.#requests.inc(labels);
    if (failures > 0) this.#retries.inc(labels);
    try {
      const secret = await this.#fetch(signal);
      if (failures > 0) this.#log.info("certificate problem is over", { failures });
      this.#log.info("certificate issued", {
        spiffeId: secret.spiffeId,
        serial: secret.serial,
        notAfter: secret.notAfter.toISOString(),
      });
      this.#state.set({ secret });
      return secret;
    } catch (error) {
      if (signal.aborted) return undefined;
      this.#failures.inc(labels);
      this.#report(error);
      return undefined;
    }
  }

  async #fetch(signal: AbortSignal): Promise<WorkloadSecret> {
    const { trustDomain, namespace, serviceAccount, key } = this.#options;
    const spiffeId = `spiffe://${trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
    const { privateKeyPem, requestPem } = await createCertificateRequest(key, spiffeId);
    const chain = await signRequest(this.#options, requestPem, signal);
    return checkSecret({ privateKeyPem, chain, spiffeId }, new Date());
  }

  /** One line per problem, not one per attempt. */
  #report(error: unknown): void {
    const problem =
      error instanceof IdentityError
        ? { code: error.code, message: error.message }
        : { code: "CERTIFICATE_INVALID" as const, message: errorMessage(error) };
    const { secret, problem: previous } = this.#state.current;
    if (problem.code !== previous?.code) {
      this.#log.warn("no new certificate", {
        code: problem.code,
        reason: problem.message,
        ...(secret === undefined ? {} : { inUseUntil: secret.notAfter.toISOString() }),
      });
    }
    this.#state.set({ ...(secret === undefined ? {} : { secret }), problem });
  }

  #rotationDelayMs(secret: WorkloadSecret): number {
    return rotationDelayMs(secret, this.#options.rotation, new Date(), Math.random());
  }

  #retryDelayMs(failures: number): number {
    const delay = backoffDelayMs(retryBackoff, failures - 1, Math.random());
    const { secret } = this.#state.current;
    if (secret === undefined) return delay;
    const restMs = secret.notAfter.getTime() - Date.now();
    return restMs <= 0
      ? delay
      : Math.min(delay, Math.max(retryBackoff.initialMs, restMs * largestShareOfRest));
  }
}
