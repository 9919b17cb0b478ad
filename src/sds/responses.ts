/**
 * Responses with secrets, made once however many streams get the same one.
 */
import { randomUUID } from "node:crypto";
import { create, toBinary } from "@bufbuild/protobuf";
import { DeltaDiscoveryResponseSchema, DiscoveryResponseSchema } from "../proto/agent/discovery_pb.js";
import type { Difference } from "../xds/delta-subscription.ts";
import { typeUrl } from "../xds/type-urls.ts";
import { ownIdentifier } from "./own-identifier.ts";
import type { EncodedSecret } from "./secret-session.ts";

/** A response as it goes out. */
export interface SecretResponse {
  readonly nonce: string;
  /** Names of the secrets in it. */
  readonly names: readonly string[];
  readonly bytes: Uint8Array;
}

interface Made {
  readonly secrets: readonly EncodedSecret[];
  readonly response: SecretResponse;
}

/** Combinations of names that are kept: Envoy's streams ask for one name each. */
const maxKept = 16;

/** Makes responses and keeps the last of each combination of names. */
export class SecretResponses {
  readonly #kept = new Map<string, Made>();
  #versions = 0;

  /** Keep none any longer: the secrets have changed. */
  forget(): void {
    this.#kept.clear();
  }

  /** For a stream of state of the world. */
  sotw(secrets: readonly EncodedSecret[]): SecretResponse {
    return this.#shared("sotw", secrets, (nonce) =>
      toBinary(
        DiscoveryResponseSchema,
        create(DiscoveryResponseSchema, {
          versionInfo: this.#nextVersion(),
          typeUrl: typeUrl.secret,
          nonce,
          controlPlane: { identifier: ownIdentifier },
          resources: secrets.map(({ bytes }) => ({ typeUrl: typeUrl.secret, value: bytes })),
        }),
      ),
    );
  }

  /** For an incremental stream. */
  delta({ changed, removed }: Difference): SecretResponse {
    const secrets = changed.map(({ name, bytes }) => ({ name, bytes: bytes as Buffer }));
    const write = (nonce: string): Uint8Array =>
      toBinary(
        DeltaDiscoveryResponseSchema,
        create(DeltaDiscoveryResponseSchema, {
          systemVersionInfo: this.#nextVersion(),
          typeUrl: typeUrl.secret,
          nonce,
          resources: changed.map(({ name, version, bytes }) => ({
            name,
            version,
            resource: { typeUrl: typeUrl.secret, value: bytes },
          })),
          removedResources: [...removed],
        }),
      );
    return removed.length === 0 ? this.#shared("delta", secrets, write) : made(secrets, write);
  }

  #shared(
    kind: string,
    secrets: readonly EncodedSecret[],
    write: (nonce: string) => Uint8Array,
  ): SecretResponse {
    const key = [kind, ...secrets.map(({ name }) => name)].join("\n");
    const kept = this.#kept.get(key);
    if (kept?.secrets.every(({ bytes }, index) => bytes === secrets[index]?.bytes) === true)
      return kept.response;
    if (this.#kept.size >= maxKept) this.#kept.clear();
    const response = made(secrets, write);
    this.#kept.set(key, { secrets, response });
    return response;
  }

  #nextVersion(): string {
    this.#versions += 1;
    return `${new Date().toISOString()}/${this.#versions}`;
  }
}

/** A nonce tells the responses of one stream apart; streams may share it as they share the response. */
function made(secrets: readonly EncodedSecret[], write: (nonce: string) => Uint8Array): SecretResponse {
  const nonce = randomUUID();
  return { nonce, names: secrets.map(({ name }) => name), bytes: write(nonce) };
}
