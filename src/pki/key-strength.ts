/**
 * What a public key must be for others to rely on it: an authority's, a token issuer's, a server's, a workload's.
 */
import type { KeyObject } from "node:crypto";
import { rsaBits } from "./rsa-bits.ts";

/** Names of OpenSSL and of WebCrypto. */
export const curves: ReadonlyMap<string, string> = new Map([
  ["prime256v1", "P-256"],
  ["secp384r1", "P-384"],
  ["secp521r1", "P-521"],
]);

/** Why a key is not accepted, in words that follow its name; undefined when it is. */
export function keyProblem(key: KeyObject): string | undefined {
  const { asymmetricKeyType: kind, asymmetricKeyDetails: details } = key;
  switch (kind) {
    case "rsa": {
      const { modulusLength: bits = 0, publicExponent = 0n } = details ?? {};
      if (bits < rsaBits.least)
        return `is an RSA key of ${bits} bits: it needs ${rsaBits.least} bits at least`;
      if (bits > rsaBits.most)
        return `is an RSA key of ${bits} bits: it may have ${rsaBits.most} bits at most`;
      if (publicExponent < 3n || publicExponent % 2n === 0n)
        return `is an RSA key with the exponent ${publicExponent}, which protects nothing`;
      return undefined;
    }
    case "ec": {
      const { namedCurve = "with parameters of its own" } = details ?? {};
      if (curves.has(namedCurve)) return undefined;
      return `is on the curve ${namedCurve}: it must be one of ${[...curves.values()].join(", ")}`;
    }
    default:
      return `is a key of the kind ${kind ?? "secret"}: it must be RSA or ECDSA`;
  }
}
