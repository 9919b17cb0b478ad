/** What can be wrong with a RequestAuthentication. */
import { absent } from "../istio-objects.ts";
import { missing, type ProblemRow } from "./words.ts";

export const requestAuthenticationProblems: readonly ProblemRow[] = [
  ["spec.jwtRules[0].issuer", absent, missing],
  [
    "spec.jwtRules[0].jwks",
    "{}",
    "must be a set of keys in JSON (RFC 7517) with one that Envoy can use, and at most 64 KiB of those",
  ],
  ["spec.jwtRules[0].jwksUri", "a.example/keys", "must be an http:// or https:// URL without a user"],
  ["spec.jwtRules[0].jwksUri", "ftp://a.example/keys", "must be an http:// or https:// URL without a user"],
  [
    "spec.jwtRules[0].jwksUri",
    "https://me:secret@a.example/keys",
    "must be an http:// or https:// URL without a user",
  ],
  [
    "spec.jwtRules[0].timeout",
    "0s",
    "must be a duration of whole milliseconds up to 2562047h such as 5s or 1m30s",
  ],
  ["spec.jwtRules[0].fromHeaders[0].name", "a b", "must be the name of a header"],
];
