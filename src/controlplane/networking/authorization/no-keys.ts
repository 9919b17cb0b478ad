/**
 * The keys of an issuer whose keys are not known yet: every token is refused (as by Istio), and whoever shows none is asked no more
 * than ever.
 *
 * Envoy takes no empty set. Nobody has the private half of this one: its point is made of a hash, SHA-256 of the words "outrider:
 * nobody has this key 6", the first of their kind that is a coordinate of P-256.
 */
export const noKeys = JSON.stringify({
  keys: [
    {
      kty: "EC",
      crv: "P-256",
      alg: "ES256",
      x: "mHSZTUV41XcJB43zs0MyqsKxXOwrrKtt3GbdSfXTndc",
      y: "KEF8REP7bT6GHKPmmQCcfx31yMVvODgrZ5pP-g3PTPg",
    },
  ],
});
