/**
 * The secret in use, whoever made it: replaced only by a checked newer one, with its log lines and metrics.
 */
import type { KeyObject } from "node:crypto";
import { errorMessage } from "../lifecycle/error-message.ts";
import { type ReadonlyWatch, Watch } from "../lifecycle/watch.ts";
import { readableCertificates } from "../pki/certificate.ts";
import { mergeCertificates, splitPem } from "../pki/pem.ts";
import { trustDomainOf } from "../pki/spiffe-id.ts";
import type { Logger } from "../telemetry/log.ts";
import type { CounterMetric, Metrics } from "../telemetry/metrics.ts";
import type { SpanSink } from "../telemetry/spans.ts";
import { TrustDomains } from "./trust-domains.ts";
import type { DatedSkew } from "./clock-skew.ts";
import { IdentityError, identityErrorCodes } from "./identity-error.ts";
import type { IdentityProblem, IdentityState } from "./identity-state.ts";
import type { WorkloadSecret } from "./workload-secret.ts";

/** Where the parts of identity report, and whose clock they live by. */
export interface IdentityDependencies {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly now: () => Date;
  /** PEM bundles of the mesh that are trusted besides the source's own root. */
  readonly trustBundles: ReadonlyWatch<readonly string[]>;
  /** Gets spans; undefined where nobody traces them. */
  readonly spans?: SpanSink | undefined;
  /** How often a file was replaced that authenticates this workload or its CA. */
  readonly credentialChanges?: ReadonlyWatch<number>;
  /** A key that is being made for the first request; undefined makes one then. */
  readonly firstKey?: Promise<KeyObject> | undefined;
}

/** Where a secret comes from. */
export interface SecretOrigin {
  /** For people. */
  readonly source: string;
  /** The trust domain that it was asked for; undefined where nothing is asked for. */
  readonly askedTrustDomain?: string;
  /** This clock against that of whoever gave it. */
  readonly clockSkew?: DatedSkew | undefined;
  /** When it came, if that was before this process. */
  readonly receivedAt?: Date;
}

/** Holds the state that everybody else follows. */
export class SecretStore {
  readonly #log: Logger;
  readonly #now: () => Date;
  readonly #state = new Watch<IdentityState>({});
  readonly #trustChanges = new Watch(0);
  readonly #failures: CounterMetric;
  readonly #trustBundles: ReadonlyWatch<readonly string[]>;
  readonly #trustDomains = new TrustDomains();
  #own: WorkloadSecret | undefined;
  /** On the monotonic clock. */
  #publishedAt: number | undefined;
  #failuresInRow = 0;

  constructor({ log, metrics, now, trustBundles }: IdentityDependencies) {
    this.#trustBundles = trustBundles;
    this.#log = log;
    this.#now = now;
    this.#failures = metrics.counter(
      "identity_failures_total",
      "Tries for a workload certificate that brought none, by cause.",
      ["cause"],
      identityErrorCodes.map((cause) => ({ cause })),
    );
    const inUse = { resource_name: "default" };
    const seconds = (ms: number | undefined): number | undefined =>
      ms === undefined ? undefined : ms / 1_000;
    metrics.computed("cert_expiry_seconds", "Seconds until the workload certificate expires.", inUse, () => {
      const { secret } = this.#state.current;
      return seconds(secret && secret.notAfter.getTime() - now().getTime());
    });
    metrics.computed(
      "cert_age_seconds",
      "Seconds since the workload certificate in use came: since the last success.",
      inUse,
      () => {
        const since = this.#publishedAt;
        return this.#own === undefined || since === undefined
          ? undefined
          : seconds(performance.now() - since);
      },
    );
  }

  get state(): ReadonlyWatch<IdentityState> {
    return this.#state;
  }

  /** The secret in use with its own root alone. */
  get own(): WorkloadSecret | undefined {
    return this.#own;
  }

  /** How often what the mesh trusts has changed while a secret was in use. */
  get trustChanges(): ReadonlyWatch<number> {
    return this.#trustChanges;
  }

  /** Serve the root with every change of the mesh's trust bundles, until `signal` aborts. */
  async followTrustBundles(signal: AbortSignal): Promise<void> {
    for await (const _ of this.#trustBundles.changes(signal)) {
      if (this.#own === undefined) continue;
      const secret = this.#trusting(this.#own);
      const { current } = this.#state;
      if (secret.rootPem === current.secret?.rootPem) continue;
      this.#log.info("trusted roots changed", { certificates: splitPem(secret.rootPem).length });
      this.#state.set({ ...current, secret });
      this.#trustChanges.set(this.#trustChanges.current + 1);
    }
  }

  /** A certificate that cannot be read would have Envoy refuse all of them. */
  #trusting(own: WorkloadSecret): WorkloadSecret {
    const bundles = this.#trustBundles.current.flatMap(readableCertificates);
    return { ...own, rootPem: mergeCertificates([own.rootPem, ...bundles]) };
  }

  /** Serve `secret` from now on. */
  publish(secret: WorkloadSecret, origin: SecretOrigin): void {
    const now = this.#now();
    const { source, askedTrustDomain, receivedAt = now, clockSkew } = origin;
    if (this.#state.current.problem !== undefined) {
      this.#log.info("workload certificate problem is over", { failures: this.#failuresInRow });
    }
    this.#failuresInRow = 0;
    this.#log.info("workload certificate issued", {
      source,
      spiffeId: secret.spiffeId,
      serial: secret.serial,
      notAfter: secret.notAfter.toISOString(),
    });
    this.#own = secret;
    this.#publishedAt = performance.now() - Math.max(0, now.getTime() - receivedAt.getTime());
    const own = trustDomainOf(secret.spiffeId);
    if (askedTrustDomain !== undefined && this.#trustDomains.isNews(own, askedTrustDomain)) {
      this.#log.warn("the certificate's trust domain is not the configured one, and is taken", {
        trustDomain: own,
        configured: askedTrustDomain,
        source,
      });
    }
    this.#state.set({
      secret: this.#trusting(secret),
      receivedAt,
      source,
      ...(clockSkew === undefined ? {} : { clockSkew }),
      trustDomains: this.#trustDomains.take(own, askedTrustDomain),
      ...(askedTrustDomain === undefined || askedTrustDomain === own ? {} : { askedTrustDomain }),
    });
  }

  /** When the next secret is asked for; for those who want to know. */
  planned(nextRotation: Date): void {
    this.#state.set({ ...this.#state.current, nextRotation });
  }

  /** This clock was set: so much is left of what proved it wrong. */
  skewed(clockSkew: DatedSkew | undefined): void {
    const { clockSkew: before, ...current } = this.#state.current;
    if (clockSkew === before) return;
    this.#state.set({ ...current, ...(clockSkew === undefined ? {} : { clockSkew }) });
  }

  /** The problem is over although the secret in use stays. */
  settle(): void {
    const { problem, ...rest } = this.#state.current;
    if (problem === undefined) return;
    this.#log.info("workload certificate problem is over", { failures: this.#failuresInRow });
    this.#failuresInRow = 0;
    this.#state.set(rest);
  }

  /**
   * No newer secret, and why. One line per problem, not one per attempt.
   *
   * @param clockSkew as the last answer proved it
   */
  report(error: unknown, clockSkew?: DatedSkew): void {
    const problem: IdentityProblem =
      error instanceof IdentityError
        ? { code: error.code, message: error.message }
        : { code: "INTERNAL", message: `no certificate could be had: ${errorMessage(error)}` };
    this.#failuresInRow += 1;
    this.#failures.inc({ cause: problem.code });
    const { clockSkew: _, ...current } = this.#state.current;
    const { secret, problem: previous } = current;
    const fields = {
      code: problem.code,
      reason: problem.message,
      inUseUntil: secret?.notAfter.toISOString(),
    };
    if (problem.code === previous?.code) this.#log.debug("still no new workload certificate", fields);
    else this.#log.warn("no new workload certificate", fields);
    this.#state.set({ ...current, problem, ...(clockSkew === undefined ? {} : { clockSkew }) });
  }

  /** No longer serve what was taken back. */
  withdraw(error: IdentityError): void {
    const { secret: _, receivedAt: __, ...rest } = this.#state.current;
    this.#own = undefined;
    this.#state.set(rest);
    this.report(error);
  }
}
