/**
 * A certificate from Istio's CA, rotated on the agent's own clock, whether or not Envoy asks.
 *
 * Nothing that a CA, a setting or a clock says makes it ask without a pause.
 */
import type { KeyObject } from "node:crypto";
import { type CertificateRequest, createCertificateRequest } from "../pki/certificate-request.ts";
import { workloadId } from "../pki/spiffe-id.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { sleep } from "../lifecycle/sleep.ts";
import { ClockJumps, clockJumps, sleepAsPlanned, sleepUnlessSet } from "../lifecycle/wall-clock.ts";
import type { ReadonlyWatch } from "../lifecycle/watch.ts";
import type { CounterMetric } from "../telemetry/metrics.ts";
import type { SpanSink } from "../telemetry/spans.ts";
import { CaClient, createCertificatePath } from "./ca-client.ts";
import {
  type ClockSkew,
  type DatedSkew,
  describeSkew,
  skewAfterSet,
  skewFromCertificate,
} from "./clock-skew.ts";
import { IdentityError, type IdentityErrorCode } from "./identity-error.ts";
import type { IdentityOptions } from "./options.ts";
import { pacedRotation, retryDelayMs, rotationDelayMs, trustDelayMs, trustSettledMs } from "./rotation.ts";
import type { IdentityDependencies, SecretStore } from "./secret-store.ts";
import { checkSecret, leafValidity, type WorkloadSecret } from "./workload-secret.ts";

/** Longest time that a certificate is held because the CA's clock is ahead, in milliseconds. */
const longestHoldMs = 5 * 60_000;

/** Failures that a wrong clock may be the cause of. */
const clockFailures: ReadonlySet<IdentityErrorCode> = new Set([
  "TOKEN_EXPIRED",
  "CA_UNTRUSTED",
  "CA_UNAUTHENTICATED",
  "CERTIFICATE_INVALID",
  "CERTIFICATE_NOT_YET_VALID",
]);

const requestType = { request_type: "csr" };

/** The SPIFFE ID that a certificate is asked for. */
export function askedIdentity(
  options: Pick<IdentityOptions, "trustDomain" | "namespace" | "serviceAccount">,
): string {
  return workloadId(options.trustDomain, options.namespace, options.serviceAccount);
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
  readonly #latency: CounterMetric;
  readonly #spans: SpanSink | undefined;
  readonly #credentialChanges: ReadonlyWatch<number> | undefined;
  #firstKey: Promise<KeyObject> | undefined;
  /** In a row. */
  #failed = 0;
  /** Ends the wait for the next rotation. */
  #early = new AbortController();
  /** As the last answers proved it, and as this clock was set since. */
  #skew: DatedSkew | undefined;
  /** Settings of this clock since those answers. */
  #sinceProof: ClockJumps;

  constructor(
    options: IdentityOptions,
    store: SecretStore,
    { log, metrics, now, credentialChanges, spans, firstKey }: IdentityDependencies,
  ) {
    this.#firstKey = firstKey;
    this.#spans = spans;
    this.#credentialChanges = credentialChanges;
    this.#options = options;
    this.#spiffeId = askedIdentity(options);
    this.#ca = new CaClient(options, { log, now });
    this.#store = store;
    this.#now = now;
    this.#sinceProof = new ClockJumps(now);
    const type = ["request_type"];
    this.#requests = metrics.counter("num_outgoing_requests", "Requests to the CA.", type);
    this.#failures = metrics.counter("num_failed_outgoing_requests", "Requests to the CA that failed.", type);
    this.#retries = metrics.counter("num_outgoing_retries", "Requests to the CA after a failed one.", type);
    this.#latency = metrics.counter("outgoing_latency", "Milliseconds that requests to the CA took.", type);
    metrics.computed(
      "ca_clock_skew_seconds",
      "Seconds that this clock is ahead of the CA's at least, as far as its answers prove; negative is behind.",
      {},
      () => (this.#skewNow()?.aheadMs ?? 0) / 1_000,
    );
  }

  /** Fetch, wait until rotation is due, fetch again, until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([
      this.#renew(signal),
      this.#followTrust(signal),
      this.#followCredentials(signal),
      this.#followClock(signal),
    ]);
  }

  async #renew(signal: AbortSignal): Promise<void> {
    let hasty = 0;
    while (!signal.aborted) {
      const early = new AbortController();
      this.#early = early;
      const stop = AbortSignal.any([signal, early.signal]);
      const secret = await this.#attempt(signal);
      if (secret === undefined) {
        this.#failed += 1;
        const { notAfter } = this.#store.state.current.secret ?? {};
        const delayMs = retryDelayMs(this.#failed, notAfter, this.#now(), Math.random());
        // A clock that is set may have been what was wrong.
        await sleepUnlessSet(delayMs, this.#now, stop);
      } else {
        this.#failed = 0;
        hasty = await this.#untilRotation(secret, hasty, stop);
      }
    }
  }

  /** Gives the number of certificates in a row that were wanted too soon. */
  async #untilRotation(secret: WorkloadSecret, hasty: number, signal: AbortSignal): Promise<number> {
    const random = Math.random();
    const pace = (now: Date): ReturnType<typeof pacedRotation> => {
      const delayMs = rotationDelayMs(secret, this.#options.rotation, now, random);
      return pacedRotation(delayMs, secret.notAfter.getTime() - now.getTime(), hasty);
    };
    const { isHasty, delayMs } = pace(this.#now());
    this.#tellRotation(delayMs);
    await sleepAsPlanned(
      (now) => pace(now).delayMs,
      this.#now,
      signal,
      (restMs) => {
        this.#tellRotation(restMs);
      },
    );
    return isHasty ? hasty + 1 : 0;
  }

  #tellRotation(inMs: number): void {
    this.#store.planned(new Date(this.#now().getTime() + inMs));
  }

  /** What was missing may have come: the next try is not left to the back-off. */
  async #followCredentials(signal: AbortSignal): Promise<void> {
    if (this.#credentialChanges === undefined) return;
    for await (const count of this.#credentialChanges.changes(signal)) {
      if (count === 0 || this.#failed === 0) continue;
      this.#failed = 1;
      this.#early.abort();
    }
  }

  /** A clock that was corrected is not wrong until the next rotation. */
  async #followClock(signal: AbortSignal): Promise<void> {
    for await (const _ of clockJumps(this.#now, signal)) this.#store.skewed(this.#skewNow());
  }

  #skewNow(): DatedSkew | undefined {
    this.#skew = skewAfterSet(this.#skew, this.#sinceProof.take());
    return this.#skew;
  }

  /** A mesh that changes its roots has a CA that signs with others, too. */
  async #followTrust(signal: AbortSignal): Promise<void> {
    let inRow = 0;
    let followedAt = -Infinity;
    for await (const changes of this.#store.trustChanges.changes(signal)) {
      if (changes === 0) continue;
      if (performance.now() - followedAt > trustSettledMs) inRow = 0;
      await sleep(trustDelayMs(inRow, Math.random()), signal);
      this.#early.abort();
      inRow += 1;
      followedAt = performance.now();
    }
  }

  /** A new certificate, served; undefined after a failure. */
  async #attempt(signal: AbortSignal): Promise<WorkloadSecret | undefined> {
    this.#requests.inc(requestType);
    if (this.#failed > 0) this.#retries.inc(requestType);
    try {
      const secret = await this.#fetch(signal);
      const { caAddress, trustDomain } = this.#options;
      this.#store.publish(secret, {
        source: `the CA ${caAddress}`,
        askedTrustDomain: trustDomain,
        clockSkew: this.#skewNow(),
      });
      return secret;
    } catch (error) {
      if (signal.aborted) return undefined;
      this.#failures.inc(requestType);
      this.#store.report(this.#blameClock(error), this.#skewNow());
      return undefined;
    }
  }

  async #fetch(signal: AbortSignal): Promise<WorkloadSecret> {
    const spiffeId = this.#spiffeId;
    using _connection = this.#ca.connect();
    const { privateKeyPem, requestPem } = await this.#request(signal);
    this.#skew = undefined;
    this.#sinceProof = new ClockJumps(this.#now);
    const chain = await this.#sign(requestPem, signal);
    const valid = leafValidity(chain);
    if (valid !== undefined) this.#skew ??= dated(skewFromCertificate(valid, this.#now()));
    const secret = checkSecret({ privateKeyPem, chain, spiffeId }, this.#now());
    await this.#hold(secret, signal);
    return secret;
  }

  #request(signal: AbortSignal): Promise<CertificateRequest> {
    const given = this.#firstKey;
    this.#firstKey = undefined;
    return createCertificateRequest(this.#options.key, this.#spiffeId, signal, given);
  }

  async #sign(requestPem: string, signal: AbortSignal): ReturnType<CaClient["sign"]> {
    const startedAt = performance.now();
    let failure: unknown;
    try {
      return await this.#ca.sign(requestPem, signal, {
        onSkew: (skew) => {
          this.#skew = dated(skew);
        },
        onRetry: () => {
          this.#failures.inc(requestType);
          this.#requests.inc(requestType);
          this.#retries.inc(requestType);
        },
      });
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      this.#latency.inc(requestType, performance.now() - startedAt);
      this.#spans?.({
        ...{ name: "ca.sign", kind: "client", startedAt },
        attributes: {
          "rpc.system": "grpc",
          "rpc.method": createCertificatePath.slice(1),
          "server.address": this.#options.caAddress,
          ...(failure instanceof IdentityError ? { "error.type": failure.code } : {}),
        },
        error: failure === undefined ? undefined : errorMessage(failure),
      });
    }
  }

  /** A peer would refuse a certificate that is not valid yet. */
  async #hold(secret: WorkloadSecret, signal: AbortSignal): Promise<void> {
    for (let isTold = false; !signal.aborted;) {
      const aheadMs = secret.notBefore.getTime() - this.#now().getTime();
      if (aheadMs <= 0) return;
      const error = new IdentityError(
        "CERTIFICATE_NOT_YET_VALID",
        `the CA's certificate is valid from ${secret.notBefore.toISOString()} on, which is ${Math.ceil(aheadMs / 1_000)} s ahead of ` +
          "this clock: it is held until then; compare the clocks of this machine and of the CA",
      );
      if (aheadMs > longestHoldMs) throw error;
      if (!isTold) this.#store.report(this.#blameClock(error), this.#skew);
      isTold = true;
      await sleepUnlessSet(aheadMs, this.#now, signal);
    }
    signal.throwIfAborted();
  }

  #blameClock(error: unknown): unknown {
    if (!(error instanceof IdentityError) || this.#skew === undefined || !clockFailures.has(error.code))
      return error;
    return new IdentityError(error.code, `${error.message}; ${describeSkew(this.#skew)}`, error);
  }
}

function dated(skew: ClockSkew | undefined): DatedSkew | undefined {
  return skew && { ...skew, provenAtMs: performance.now() };
}
