/**
 * Keeps the workload certificate fresh.
 *
 * The served secret is replaced only by a checked newer one: whatever fails on the way leaves the old one in use.
 */
import { createCertificateRequest } from "../pki/certificate-request.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { sleep } from "../lifecycle/sleep.ts";
import { type ReadonlyWatch, Watch } from "../lifecycle/watch.ts";
import type { Logger } from "../telemetry/log.ts";
import type { CounterMetric, Metrics } from "../telemetry/metrics.ts";
import { CaClient } from "./ca-client.ts";
import { IdentityError, type IdentityErrorCode } from "./identity-error.ts";
import type { IdentityOptions } from "./options.ts";
import { retryDelayMs, rotationDelayMs } from "./rotation.ts";
import { checkSecret, type WorkloadSecret } from "./workload-secret.ts";

/** What keeps a new certificate from coming. */
export interface IdentityProblem {
  readonly code: IdentityErrorCode;
  /** Cause and remedy. */
  readonly message: string;
}

/** The secret in use, if any, and what keeps a newer one from coming, if anything. */
export interface IdentityState {
  readonly secret?: WorkloadSecret;
  readonly problem?: IdentityProblem;
}

/** Where the manager reports. */
export interface IdentityDependencies {
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** Longest single sleep: timers stop while a machine is suspended and overflow at 25 days, the clock does neither. */
const longestSleepMs = 60_000;

/** Longest time that a certificate is held because the CA's clock is ahead, in milliseconds. */
const longestHoldMs = 5 * 60_000;

/** Fetches and rotates; `run` does the work. */
export class SecretManager {
  readonly #options: IdentityOptions;
  readonly #spiffeId: string;
  readonly #ca: CaClient;
  readonly #log: Logger;
  readonly #state = new Watch<IdentityState>({});
  readonly #requests: CounterMetric;
  readonly #failures: CounterMetric;
  readonly #retries: CounterMetric;

  private constructor(options: IdentityOptions, { log, metrics }: IdentityDependencies) {
    this.#options = options;
    this.#spiffeId = `spiffe://${options.trustDomain}/ns/${options.namespace}/sa/${options.serviceAccount}`;
    this.#ca = new CaClient(options);
    this.#log = log;
    const type = ["request_type"];
    this.#requests = metrics.counter("num_outgoing_requests", "Requests to the CA.", type);
    this.#failures = metrics.counter("num_failed_outgoing_requests", "Requests to the CA that failed.", type);
    this.#retries = metrics.counter("num_outgoing_retries", "Requests to the CA after a failed one.", type);
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
      failures = secret === undefined ? failures + 1 : 0;
      const now = new Date();
      const inUse = this.#state.current.secret;
      const waitMs =
        secret === undefined
          ? retryDelayMs(failures, inUse?.notAfter, now, Math.random())
          : rotationDelayMs(secret, this.#options.rotation, now, Math.random());
      await sleepUntil(now.getTime() + waitMs, signal);
    }
  }

  async #attempt(signal: AbortSignal, failures: number): Promise<WorkloadSecret | undefined> {
    const labels = { request_type: "csr" };
    this.#requests.inc(labels);
    if (failures > 0) this.#retries.inc(labels);
    try {
      const secret = await this.#fetch(signal);
      this.#publish(secret, failures);
      return secret;
    } catch (error) {
      if (signal.aborted) return undefined;
      this.#failures.inc(labels);
      this.#report(error);
      return undefined;
    }
  }

  async #fetch(signal: AbortSignal): Promise<WorkloadSecret> {
    const spiffeId = this.#spiffeId;
    const { privateKeyPem, requestPem } = await createCertificateRequest(this.#options.key, spiffeId);
    const chain = await this.#ca.sign(requestPem, signal);
    const secret = checkSecret({ privateKeyPem, chain, spiffeId }, new Date());
    await this.#hold(secret, signal);
    return secret;
  }

  /** A peer would refuse a certificate that is not valid yet. */
  async #hold(secret: WorkloadSecret, signal: AbortSignal): Promise<void> {
    const aheadMs = secret.notBefore.getTime() - Date.now();
    if (aheadMs <= 0) return;
    const error = new IdentityError(
      "CERTIFICATE_NOT_YET_VALID",
      `the CA's certificate is valid from ${secret.notBefore.toISOString()} on, which is ${Math.ceil(aheadMs / 1_000)} s ahead of ` +
        "this clock: it is held until then; compare the clocks of this machine and of the CA",
    );
    if (aheadMs > longestHoldMs) throw error;
    this.#report(error);
    await sleepUntil(secret.notBefore.getTime(), signal);
    signal.throwIfAborted();
  }

  #publish(secret: WorkloadSecret, failures: number): void {
    if (this.#state.current.problem !== undefined) {
      this.#log.info("workload certificate problem is over", { failures });
    }
    this.#log.info("workload certificate issued", {
      spiffeId: secret.spiffeId,
      serial: secret.serial,
      notAfter: secret.notAfter.toISOString(),
    });
    this.#state.set({ secret });
  }

  /** One line per problem, not one per attempt. */
  #report(error: unknown): void {
    const problem: IdentityProblem =
      error instanceof IdentityError
        ? { code: error.code, message: error.message }
        : { code: "INTERNAL", message: `no certificate request could be made: ${errorMessage(error)}` };
    const { secret, problem: previous } = this.#state.current;
    const fields = {
      code: problem.code,
      reason: problem.message,
      inUseUntil: secret?.notAfter.toISOString(),
    };
    if (problem.code === previous?.code) this.#log.debug("still no new workload certificate", fields);
    else this.#log.warn("no new workload certificate", fields);
    this.#state.set({ ...(secret === undefined ? {} : { secret }), problem });
  }
}

async function sleepUntil(timeMs: number, signal: AbortSignal): Promise<void> {
  for (let restMs = timeMs - Date.now(); restMs > 0 && !signal.aborted; restMs = timeMs - Date.now()) {
    await sleep(Math.min(restMs, longestSleepMs), signal);
  }
}
