/**
 * Responses that the agent sends Envoy of its own accord, between those of the control plane. Pure.
 *
 * Envoy answers them as any other; the control plane must not hear of a nonce that it has never given.
 */
import type { AdsProtocol, RequestFacts } from "./protocol.ts";
import { editField } from "./wire-edit.ts";

const prefix = "outrider-";

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
