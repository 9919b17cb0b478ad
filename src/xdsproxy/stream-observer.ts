/**
 * Reads what passes on one stream, for the report.
 */
import type { ConnectionReport } from "./connection-report.ts";
import type { AdsProtocol } from "./protocol.ts";

/** Types that Envoy understands; a control plane may also send what is meant for an agent. */
const envoyTypes = "type.googleapis.com/envoy.";

/** One stream. */
export class StreamObserver {
  readonly #protocol: AdsProtocol;
  readonly #report: ConnectionReport;
  /** Nonces of responses that Envoy has not answered; a later change of subscription repeats an answered one. */
  readonly #unanswered = new Set<string>();
  #hasAnswered = false;

  constructor(protocol: AdsProtocol, report: ConnectionReport) {
    this.#protocol = protocol;
    this.#report = report;
  }

  /** True once the discovery server has sent a response. */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  /** Take note of a request of Envoy. */
  request(message: Uint8Array): void {
    this.#report.request();
    const { typeUrl, nonce, error } = this.#protocol.readRequest(message);
    if (!this.#unanswered.delete(nonce)) return;
    this.#report.typeEvent(typeUrl, error === undefined ? { kind: "acked" } : { kind: "nacked", error });
  }

  /** Take note of a response; its type URL, or undefined when it is none of Envoy's. */
  response(message: Uint8Array): string | undefined {
    this.#hasAnswered = true;
    this.#report.response();
    const { typeUrl, nonce } = this.#protocol.readResponse(message);
    if (!typeUrl.startsWith(envoyTypes)) {
      this.#report.dropped(typeUrl);
      return undefined;
    }
    this.#unanswered.add(nonce);
    this.#report.typeEvent(typeUrl, { kind: "received" });
    return typeUrl;
  }
}
