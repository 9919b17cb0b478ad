/**
 * Responses that the agent sends Envoy of its own accord, between those of the control plane.
 *
 * Envoy answers them as any other; the control plane must not hear of a nonce that it has never given.
 */
import type { AdsProtocol, RequestFacts, ResponseFacts } from "./protocol.ts";
import { editField } from "./wire-edit.ts";

const prefix = "outrider-";

/** The agent's responses on one stream, of whatever type. */
export class OwnResponses {
  readonly #protocol: AdsProtocol;
  /** What Envoy asks for by type, which only state of the world repeats, and the control plane's last nonce. */
  readonly #types = new Map<string, { names: readonly string[]; nonce: string }>();
  #count = 0;

  constructor(protocol: AdsProtocol) {
    this.#protocol = protocol;
  }

  /** The nonce of one more response. */
  nextNonce(): string {
    this.#count += 1;
    return ownNonce(this.#count);
  }

  /** A response of the control plane goes to Envoy. */
  passed({ typeUrl, nonce }: Pick<ResponseFacts, "typeUrl" | "nonce">): void {
    if (this.#protocol.isDelta || isOwnNonce(nonce)) return;
    this.#types.set(typeUrl, { names: this.#types.get(typeUrl)?.names ?? [], nonce });
  }

  /**
   * What the control plane is to get of a request of Envoy; undefined when that is nothing.
   *
   * @throws Error when the bytes are no message
   */
  requested(message: Buffer, facts: RequestFacts): Buffer | undefined {
    const before = this.#types.get(facts.typeUrl) ?? { names: [], nonce: "" };
    if (!this.#protocol.isDelta) this.#types.set(facts.typeUrl, { ...before, names: facts.names });
    return isOwnNonce(facts.nonce) ? withoutOwnNonce(this.#protocol, message, facts, before) : message;
  }
}

/** The nonce of the agent's response number `count` on its stream. */
export function ownNonce(count: number): string {
  return `${prefix}${count}`;
}

/** True for a nonce of the agent's. */
export function isOwnNonce(nonce: string): boolean {
  return nonce.startsWith(prefix);
}

/**
 * What the control plane is to get of Envoy's answer to such a response: nothing, unless Envoy changes what it asks
 * for in the same message. In state of the world that message then answers the control plane's own last response.
 *
 * @param before what Envoy asked for, and the nonce of that response
 * @throws Error when the bytes are no message
 */
export function withoutOwnNonce(
  { isDelta, requestFields }: AdsProtocol,
  message: Buffer,
  { names, unsubscribed }: RequestFacts,
  before: { readonly names: readonly string[]; readonly nonce: string },
): Buffer | undefined {
  const isSame = isDelta
    ? names.length === 0 && unsubscribed.length === 0
    : names.length === before.names.length && names.every((name) => before.names.includes(name));
  if (isSame) return undefined;
  const withoutError = editField(message, requestFields.error, () => ({ kind: "drop" }));
  return editField(withoutError, requestFields.nonce, () =>
    isDelta ? { kind: "drop" } : { kind: "replace", value: Buffer.from(before.nonce) },
  );
}
