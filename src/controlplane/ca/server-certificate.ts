/**
 * The control plane's own certificate: issued anew at half its lifetime, and when the CA changes.
 */
import { errorMessage } from "../../lifecycle/error-message.ts";
import { sleepAsPlanned } from "../../lifecycle/wall-clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { CertificateAuthority, ServerCertificate, SubjectName } from "./authority.ts";

/** Names in it: Istio's own, that of the revision's service where it is not the default one, and the machine's. */
function namesOf(revision: string): readonly SubjectName[] {
  const services = ["istiod", "istio-pilot", ...(revision === "default" ? [] : [`istiod-${revision}`])];
  return [
    ...services.map((name) => ({ type: "dns", value: `${name}.istio-system.svc` }) as const),
    { type: "dns", value: "localhost" },
    { type: "ip", value: "127.0.0.1" },
  ];
}

/** Between two renewals, however short the certificate's life is or how often one fails, in milliseconds. */
const leastMs = 1_000;

/** Keeps it; `run` does the work. */
export class ServerCertificateKeeper {
  readonly #authority: CertificateAuthority;
  readonly #names: readonly SubjectName[];
  readonly #log: Logger;
  #current: ServerCertificate;

  private constructor(
    authority: CertificateAuthority,
    names: readonly SubjectName[],
    first: ServerCertificate,
    log: Logger,
  ) {
    this.#authority = authority;
    this.#names = names;
    this.#log = log;
    this.#current = first;
  }

  /** @throws Error when the CA cannot issue one */
  static async issue(
    authority: CertificateAuthority,
    log: Logger,
    revision = "default",
  ): Promise<ServerCertificateKeeper> {
    const names = namesOf(revision);
    return new ServerCertificateKeeper(authority, names, await authority.issueServer(names), log);
  }

  /** The newest. */
  get current(): ServerCertificate {
    return this.#current;
  }

  /** Give each new one to `use`, until `signal` aborts. */
  async run(use: (certificate: ServerCertificate) => void, signal: AbortSignal): Promise<void> {
    await Promise.all([this.#renewInTime(use, signal), this.#followAuthority(use, signal)]);
  }

  async #renewInTime(use: (certificate: ServerCertificate) => void, signal: AbortSignal): Promise<void> {
    const wallClock = (): Date => new Date();
    const halfOfRest = (now: Date): number =>
      Math.max((this.#current.notAfter.getTime() - now.getTime()) / 2, leastMs);
    while (!signal.aborted) {
      await sleepAsPlanned(halfOfRest, wallClock, signal);
      if (!signal.aborted) await this.#renew(use);
    }
  }

  async #followAuthority(use: (certificate: ServerCertificate) => void, signal: AbortSignal): Promise<void> {
    for await (const changes of this.#authority.changes.changes(signal)) {
      if (changes > 0) await this.#renew(use);
    }
  }

  async #renew(use: (certificate: ServerCertificate) => void): Promise<void> {
    try {
      this.#current = await this.#authority.issueServer(this.#names);
      use(this.#current);
      this.#log.info("server certificate renewed", { notAfter: this.#current.notAfter.toISOString() });
    } catch (error) {
      this.#log.error("server certificate not renewed", { reason: errorMessage(error) });
    }
  }
}
