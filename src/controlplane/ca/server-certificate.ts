/**
 * The control plane's own certificate: issued anew at half its lifetime, and when the CA changes.
 */
import { errorMessage } from "../../lifecycle/error-message.ts";
import { sleep } from "../../lifecycle/sleep.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { CertificateAuthority, ServerCertificate } from "./authority.ts";

/** Names in it: Istio's own, and the machine's. */
const names = [
  { type: "dns", value: "istiod.istio-system.svc" },
  { type: "dns", value: "istio-pilot.istio-system.svc" },
  { type: "dns", value: "localhost" },
  { type: "ip", value: "127.0.0.1" },
] as const;

/** From one look at the clock to the next, at most and at least, in milliseconds. */
const look = { mostMs: 60_000, leastMs: 1_000 } as const;

/** Keeps it; `run` does the work. */
export class ServerCertificateKeeper {
  readonly #authority: CertificateAuthority;
  readonly #log: Logger;
  #current: ServerCertificate;
  #renewAtMs: number;

  private constructor(authority: CertificateAuthority, first: ServerCertificate, log: Logger) {
    this.#authority = authority;
    this.#log = log;
    this.#current = first;
    this.#renewAtMs = halfway(first);
  }

  /** @throws Error when the CA cannot issue one */
  static async issue(authority: CertificateAuthority, log: Logger): Promise<ServerCertificateKeeper> {
    return new ServerCertificateKeeper(authority, await authority.issueServer(names), log);
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
    while (!signal.aborted) {
      const restMs = this.#renewAtMs - Date.now();
      await sleep(Math.min(Math.max(restMs, look.leastMs), look.mostMs), signal);
      if (!signal.aborted && Date.now() >= this.#renewAtMs) await this.#renew(use);
    }
  }

  async #followAuthority(use: (certificate: ServerCertificate) => void, signal: AbortSignal): Promise<void> {
    for await (const changes of this.#authority.changes.changes(signal)) {
      if (changes > 0) await this.#renew(use);
    }
  }

  async #renew(use: (certificate: ServerCertificate) => void): Promise<void> {
    try {
      this.#current = await this.#authority.issueServer(names);
      this.#renewAtMs = halfway(this.#current);
      use(this.#current);
      this.#log.info("server certificate renewed", { notAfter: this.#current.notAfter.toISOString() });
    } catch (error) {
      this.#renewAtMs = Date.now() + look.mostMs;
      this.#log.error("server certificate not renewed", { reason: errorMessage(error) });
    }
  }
}

function halfway({ notAfter }: ServerCertificate): number {
  const now = Date.now();
  return now + (notAfter.getTime() - now) / 2;
}
