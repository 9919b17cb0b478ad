/**
 * One set of keys from where it is (RFC 7517), or from where its issuer says that it is (OpenID Connect Discovery 1.0).
 */
import { errorMessage } from "../../lifecycle/error-message.ts";
import { fetchHttp, type HttpResponse } from "../../net/http-client.ts";
import { RefusedAddressError } from "../../net/guarded-lookup.ts";
import { unbracketed } from "../../net/host-port.ts";
import { trustedRoots } from "../../net/server-authentication.ts";
import { whyNotAsked } from "../../net/machine-addresses.ts";
import { isKeySetUrl } from "../config/forms.ts";
import { keySetForm, usableKeySet } from "../config/key-sets.ts";
import type { KeySetPlace } from "./places.ts";

/** Largest answer, in bytes: a set has a few KiB. */
const maxBytes = 2 ** 20;

/** How often an answer may send elsewhere. */
const maxRedirects = 5;

/** Why there are no keys. */
export type KeySetErrorCode = "UNREACHABLE" | "REFUSED" | "UNUSABLE";

/** The message names the place, without what its query holds. */
export class KeySetError extends Error {
  override readonly name = "KeySetError";
  readonly code: KeySetErrorCode;

  constructor(code: KeySetErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** @param roots PEM, for https @returns JSON of the keys that Envoy can use @throws KeySetError, or the signal's reason when it aborts */
export async function fetchKeySet(
  place: KeySetPlace,
  roots: () => Buffer | undefined,
  signal: AbortSignal,
): Promise<string> {
  const ask = (url: string): Promise<string> => answerOf(url, { roots, timeoutMs: place.timeoutMs, signal });
  const url = place.kind === "keys" ? place.url : keysUrlIn(place.url, await ask(discoveryUrl(place.url)));
  const keys = usableKeySet(await ask(url));
  if (keys === undefined)
    throw new KeySetError(
      "UNUSABLE",
      `${shown(url)} does not answer with ${keySetForm}: look at what it answers`,
    );
  return keys;
}

function discoveryUrl(issuer: string): string {
  return `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
}

function keysUrlIn(issuer: string, document: string): string {
  try {
    const parsed: unknown = JSON.parse(document);
    const url: unknown = typeof parsed === "object" && parsed !== null ? Reflect.get(parsed, "jwks_uri") : "";
    if (typeof url === "string" && isKeySetUrl(url)) return elsewhere(discoveryUrl(issuer), url);
  } catch (error) {
    if (error instanceof KeySetError) throw error;
    // It is none.
  }
  throw new KeySetError(
    "UNUSABLE",
    `${shown(discoveryUrl(issuer))} is no discovery document with a jwks_uri: name the jwksUri in the rule`,
  );
}

interface AskOptions {
  readonly roots: () => Buffer | undefined;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

async function answerOf(url: string, options: AskOptions): Promise<string> {
  let current = url;
  for (let redirects = 0; redirects <= maxRedirects; redirects += 1) {
    const { status, headers, body } = await exchange(current, options);
    if (status === 200) return body.toString("utf8");
    const { location } = headers;
    if (![301, 302, 303, 307, 308].includes(status) || typeof location !== "string")
      throw new KeySetError("REFUSED", `${shown(current)} answered with status ${status}`);
    current = elsewhere(current, location);
  }
  throw new KeySetError("REFUSED", `${shown(url)} sends elsewhere more than ${maxRedirects} times`);
}

/** Where an answer says that keys are. What was asked for over TLS is not taken in plain text. */
function elsewhere(from: string, location: string): string {
  const to = URL.parse(location, from);
  const isWorse = from.startsWith("https:") && to?.protocol !== "https:";
  if (to === null || !isKeySetUrl(to.href) || isWorse)
    throw new KeySetError("REFUSED", `${shown(from)} sends to where keys are not taken from`);
  return to.href;
}

async function exchange(url: string, { roots, timeoutMs, signal }: AskOptions): Promise<HttpResponse> {
  const { protocol, hostname, port, pathname, search, host } = new URL(url);
  const isSecure = protocol === "https:";
  try {
    return await fetchHttp({
      // An address of IPv6 stands in brackets in a URL only.
      target: { host: unbracketed(hostname), port: Number(port) || (isSecure ? 443 : 80) },
      tls: isSecure ? trustedRoots(roots()) : undefined,
      url: `${pathname}${search}`,
      headers: { host, accept: "application/json" },
      // Whoever may write a rule, or answers for an issuer, may not have the control plane ask for what is the machine's own.
      ...{ timeoutMs, maxBytes, signal, refuses: whyNotAsked },
    });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof RefusedAddressError)
      throw new KeySetError("REFUSED", `${shown(url)} is not asked: ${error.message}`, error);
    throw new KeySetError("UNREACHABLE", `${shown(url)} cannot be asked: ${errorMessage(error)}`, error);
  }
}

/** Whoever wrote a query may have put a secret into it. */
function shown(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}
