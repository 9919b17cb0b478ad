/**
 * Where the keys of a RequestAuthentication are, as its rules say it (Istio's JWTRule). Pure.
 */
import type { RequestAuthenticationSpec } from "../config/objects.ts";
import { durationMs } from "../config/forms.ts";
import type { Scoped } from "../model/model.ts";

type JwtRule = NonNullable<RequestAuthenticationSpec["jwtRules"]>[number];

/** A set of keys that has to be fetched. */
export interface KeySetPlace {
  /** The set itself, or the issuer whose discovery document says where it is. */
  readonly kind: "keys" | "issuer";
  readonly url: string;
  /** A fetch takes no longer, in milliseconds. */
  readonly timeoutMs: number;
}

/** As in Istio, in milliseconds. */
const defaultTimeoutMs = 5_000;

/** Undefined for a rule that has its keys in itself, and for one of which nobody says where they are. */
export function placeOf({ jwks, jwksUri, issuer, timeout }: JwtRule): KeySetPlace | undefined {
  if (jwks !== undefined) return undefined;
  const timeoutMs = (timeout === undefined ? undefined : durationMs(timeout)) ?? defaultTimeoutMs;
  if (jwksUri !== undefined) return { kind: "keys", url: jwksUri, timeoutMs };
  return /^https?:\/\//.test(issuer) ? { kind: "issuer", url: issuer, timeoutMs } : undefined;
}

/** What tells a place from others: who waits for it how long is none of it. */
export function keyOf({ kind, url }: KeySetPlace): string {
  return `${kind} ${url}`;
}

/** Every place that rules name, once; of several times to wait the longest. */
export function placesOf(
  authentications: readonly Scoped<RequestAuthenticationSpec>[],
): ReadonlyMap<string, KeySetPlace> {
  const places = new Map<string, KeySetPlace>();
  for (const { spec } of authentications) {
    for (const rule of spec.jwtRules ?? []) {
      const place = placeOf(rule);
      if (place === undefined) continue;
      const before = places.get(keyOf(place));
      if (before === undefined || before.timeoutMs < place.timeoutMs) places.set(keyOf(place), place);
    }
  }
  return places;
}

/** Rules with the keys that were fetched for them; those without stay as they are. */
export function withKeys(
  authentication: Scoped<RequestAuthenticationSpec>,
  keysOf: (key: string) => string | undefined,
): Scoped<RequestAuthenticationSpec> {
  const jwtRules = authentication.spec.jwtRules?.map((rule) => {
    const place = placeOf(rule);
    const jwks = place && keysOf(keyOf(place));
    return jwks === undefined ? rule : { ...rule, jwks };
  });
  return {
    ...authentication,
    spec: { ...authentication.spec, ...(jwtRules === undefined ? {} : { jwtRules }) },
  };
}
