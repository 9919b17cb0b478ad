/**
 * A certificate from Istio's CA, rotated on the agent's own clock, whether or not Envoy asks.
 */
import { createCertificateRequest } from "../pki/certificate-request.ts";
import { sleep } from "../lifecycle/sleep.ts";
import type { CounterMetric } from "../telemetry/metrics.ts";
import { CaClient } from "./ca-client.ts";
import { type ClockSkew, describeSkew, skewFromCertificate } from "./clock-skew.ts";
import { IdentityError, type IdentityErrorCode } from "./identity-error.ts";
import type { IdentityOptions } from "./options.ts";
import { retryDelayMs, rotationDelayMs } from "./rotation.ts";
import type { IdentityDependencies, SecretStore } from "./secret-store.ts";
import { sleepUntil } from "./wait.ts";
import { checkSecret, leafValidity, type WorkloadSecret } from "./workload-secret.ts";

/** Longest time that a certificate is held because the CA's clock is ahead, in milliseconds. */
const longestHoldMs = 5 * 60_000;

/** Longest wait for a new certificate after a change of the mesh's roots, in milliseconds. */
const longestTrustDelayMs = 10_000;

/** Failures that a wrong clock may be the cause of. */
const clockFailures: ReadonlySet<IdentityErrorCode> = new Set([
  "TOKEN_EXPIRED",
  "CA_UNTRUSTED",
  "CA_UNAUTHENTICATED",
  "CERTIFICATE_INVALID",
  "CERTIFICATE_NOT_YET_VALID",
]);

/** The SPIFFE ID that a certificate is asked for. */
export function askedIdentity(
  options: Pick<IdentityOptions, "trustDomain" | "namespace" | "serviceAccount">,
): string {
  return `spiffe://${options.trustDomain}/ns/${options.namespace}/sa/${options.serviceAccount}`;
}

/** Fetches and rotates. */
export class CaSource {
  readonly #options: IdentityOptions;
  readonly #spiffeId: string;
  readonly #ca: CaClient;
  readonly #store: SecretStore;
  readonly #now: () => Date;
  readonly #requests: CounterMetric;
  readonly #failures: CounterMetric;
  readonly #retries: CounterMetric;
  /** Ends the wait for the next rotation. */
  #early = new AbortController();
  /** As the last answers proved it. */
  #skew: ClockSkew | undefined;

  constructor(options: IdentityOptions, store: SecretStore, { metrics, now }: IdentityDependencies) {
    this.#options = options;
    this.#spiffeId = askedIdentity(options);
    this.#ca = new CaClient(options, now);
    this.#store = store;
    this.#now = now;
    const type = ["request_type"];
    this.#requests = metrics.counter("num_outgoing_requests", "Requests to the CA.", type);
    this.#failures = metrics.counter("num_failed_outgoing_requests", "Requests to the CA that failed.", type);
    this.#retries = metrics.counter("num_outgoing_retries", "Requests to the CA after a failed one.", type);
    metrics.computed(
      "ca_clock_skew_seconds",
      "Seconds that this clock is ahead of the CA's at least, as far as its answers prove; negative is behind.",
      {},
      () => (this.#skew?.aheadMs ?? 0) / 1_000,
    );
  }

  /** Fetch, wait until rotation is due, fetch again, until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#renew(signal), this.#followTrust(signal)]);
  }

  async #renew(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted;) {
      const early = new AbortController();
      this.#early = early;
      const dueMs = await this.#attempt(signal, failures);
      failures = dueMs === undefined ? failures + 1 : 0;
      const now = this.#now();
      const { secret } = this.#store.state.current;
      const retryMs = now.getTime() + retryDelayMs(failures, secret?.notAfter, now, Math.random());
      await sleepUntil(dueMs ?? retryMs, this.#now, AbortSignal.any([signal, early.signal]));
    }
  }

  /** A mesh that changes its roots has a CA that signs with others, too: renew, but not the whole fleet at once. */
  async #followTrust(signal: AbortSignal): Promise<void> {
    for await (const changes of this.#store.trustChanges.changes(signal)) {
      if (changes === 0) continue;
      await sleep(Math.random() * longestTrustDelayMs, signal);
      this.#early.abort();
    }
  }

  /** When the next rotation is due, in milliseconds since the epoch; undefined after a failure. */
  async #attempt(signal: AbortSignal, failures: number): Promise<number | undefined> {
    const labels = { request_type: "csr" };
    this.#requests.inc(labels);
    if (failures > 0) this.#retries.inc(labels);
    try {
      const secret = await this.#fetch(signal);
      const now = this.#now();
      const dueMs = now.getTime() + rotationDelayMs(secret, this.#options.rotation, now, Math.random());
      this.#store.publish(secret, {
        source: `the CA ${this.#options.caAddress}`,
        nextRotation: new Date(dueMs),
      });
      return dueMs;
    } catch (error) {
      if (signal.aborted) return undefined;
      this.#failures.inc(labels);
      this.#store.report(this.#blameClock(error));
      return undefined;
    }
  }

  async #fetch(signal: AbortSignal): Promise<WorkloadSecret> {
    const spiffeId = this.#spiffeId;
    const { privateKeyPem, requestPem } = await createCertificateRequest(this.#options.key, spiffeId, signal);
    this.#skew = undefined;
    const chain = await this.#ca.sign(requestPem, signal, (skew) => {
      this.#skew = skew;
    });
    const valid = leafValidity(chain);
    if (valid !== undefined) this.#skew ??= skewFromCertificate(valid, this.#now());
    const secret = checkSecret({ privateKeyPem, chain, spiffeId }, this.#now());
    await this.#hold(secret, signal);
    return secret;
  }

  /** A peer would refuse a certificate that is not valid yet. */
  async #hold(secret: WorkloadSecret, signal: AbortSignal): Promise<void> {
    const aheadMs = secret.notBefore.getTime() - this.#now().getTime();
    if (aheadMs <= 0) return;
    const error = new IdentityError(
      "CERTIFICATE_NOT_YET_VALID",
      `the CA's certificate is valid from ${secret.notBefore.toISOString()} on, which is ${Math.ceil(aheadMs / 1_000)} s ahead of ` +
        "this clock: it is held until then; compare the clocks of this machine and of the CA",
    );
    if (aheadMs > longestHoldMs) throw error;
    this.#store.report(this.#blameClock(error));
    await sleepUntil(secret.notBefore.getTime(), this.#now, signal);
    signal.throwIfAborted();
  }

  #blameClock(error: unknown): unknown {
    if (!(error instanceof IdentityError) || this.#skew === undefined || !clockFailures.has(error.code))
      return error;
    return new IdentityError(error.code, `${error.message}; ${describeSkew(this.#skew)}`, error);
  }
}
