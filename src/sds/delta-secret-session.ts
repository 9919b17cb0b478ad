/**
 * The same decisions in the incremental protocol, where a name that is not served can be refused: it is "removed".
 */
import { createHash } from "node:crypto";
import type { DeltaDiscoveryRequest } from "../proto/agent/discovery_pb.js";
import { DeltaSubscription, type Difference } from "../xds/delta-subscription.ts";
import { parseSecretName } from "./secret-name.ts";
import type { SessionVerdict } from "./secret-session.ts";
import type { EncodedSecrets } from "./secret-table.ts";

/** One stream. */
export class DeltaSecretSession {
  readonly #subscription = new DeltaSubscription(false);
  readonly #names = new Set<string>();
  /** Unknown names that have not been refused yet. */
  readonly #refused = new Set<string>();
  #nonce = "";

  /** The names that the stream wants, unknown ones included. */
  get names(): ReadonlySet<string> {
    return this.#names;
  }

  /** Take in a request; `due` then says what it calls for. */
  receive(request: DeltaDiscoveryRequest): SessionVerdict {
    this.#subscription.receive(request);
    for (const name of request.resourceNamesUnsubscribe) this.#names.delete(name);
    const unknownNames = request.resourceNamesSubscribe.filter((name) => parseSecretName(name) === undefined);
    for (const name of request.resourceNamesSubscribe) this.#names.add(name);
    for (const name of unknownNames) this.#refused.add(name);
    const { errorDetail, responseNonce } = request;
    const isAboutTheLast = responseNonce === this.#nonce;
    return {
      unknownNames,
      rejection: isAboutTheLast ? errorDetail?.message : undefined,
      isExpired: responseNonce !== "" && this.#nonce !== "" && !isAboutTheLast,
    };
  }

  /** What is wanted and not yet sent as it is now, and what there will never be. */
  due(secrets: EncodedSecrets): Difference {
    const resources = new Map(
      [...this.#names].flatMap((name) => {
        const bytes = secrets.get(name);
        return bytes === undefined ? [] : [[name, { name, version: versionOf(bytes), bytes }] as const];
      }),
    );
    // A secret that is not there yet is not gone: whatever Envoy has of it stays good.
    return { changed: this.#subscription.difference(resources).changed, removed: [...this.#refused] };
  }

  /** Remember a response. */
  sent(difference: Difference, nonce: string): void {
    this.#subscription.sent({ changed: difference.changed, removed: [] });
    for (const name of difference.removed) this.#refused.delete(name);
    this.#nonce = nonce;
  }
}

const versions = new WeakMap<Buffer, string>();

/** The same on every stream and after a restart, so that Envoy need not be sent what it has. */
function versionOf(bytes: Buffer): string {
  const known = versions.get(bytes);
  if (known !== undefined) return known;
  const version = createHash("sha256").update(bytes).digest("hex").slice(0, 32);
  versions.set(bytes, version);
  return version;
}
