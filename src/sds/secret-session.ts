/**
 * What one Envoy stream wants and has: the decisions of SDS, without sockets.
 *
 * A secret is sent when it is asked for and when its bytes have changed; one that does not exist yet is sent as
 * soon as it does, on the stream that asked.
 */
import type { DiscoveryRequest } from "../proto/agent/discovery_pb.js";
import { SotwSubscription } from "../xds/sotw-subscription.ts";
import { parseSecretName } from "./secret-name.ts";
import type { EncodedSecrets } from "./secret-table.ts";

/** A secret as it goes out. */
export interface EncodedSecret {
  readonly name: string;
  readonly bytes: Buffer;
}

/** What a request said. */
export interface SessionVerdict {
  /** Names that are not served here. */
  readonly unknownNames: readonly string[];
  /** Envoy's own words when it refused the last response. */
  readonly rejection: string | undefined;
  /** It answers a response that a newer one has overtaken. */
  readonly isExpired: boolean;
}

/** One stream. */
export class SecretSession {
  readonly #subscription = new SotwSubscription(false);
  /** What Envoy has, by name. */
  readonly #sent = new Map<string, Buffer>();

  /** The names that the stream wants, unknown ones included. */
  get names(): ReadonlySet<string> {
    return this.#subscription.names;
  }

  /** Take in a request; `due` then says what it calls for. */
  receive(request: DiscoveryRequest): SessionVerdict {
    const verdict = this.#subscription.receive({
      resourceNames: request.resourceNames,
      responseNonce: request.responseNonce,
      errorDetail: request.errorDetail,
    });
    // Without a nonce Envoy says that it has nothing; what it let go of it does not have either.
    if (request.responseNonce === "") this.#sent.clear();
    const { names } = this.#subscription;
    for (const name of this.#sent.keys()) {
      if (!names.has(name)) this.#sent.delete(name);
    }
    return {
      unknownNames:
        verdict.kind === "stale" ? [] : [...names].filter((name) => parseSecretName(name) === undefined),
      rejection: verdict.kind === "nack" ? verdict.message : undefined,
      isExpired: verdict.kind === "stale",
    };
  }

  /** The secrets that are wanted and not yet sent as they are now. */
  due(secrets: EncodedSecrets): readonly EncodedSecret[] {
    return [...this.#subscription.names].flatMap((name) => {
      const bytes = secrets.get(name);
      if (bytes === undefined || this.#sent.get(name)?.equals(bytes) === true) return [];
      return [{ name, bytes }];
    });
  }

  /** Remember a response. A refused secret counts as sent: only another one is worth a try. */
  sent(secrets: readonly EncodedSecret[], nonce: string): void {
    for (const { name, bytes } of secrets) this.#sent.set(name, bytes);
    this.#subscription.sent(nonce);
  }
}
