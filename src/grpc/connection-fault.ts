/**
 * What the words of a failed connection mean.
 *
 * They are a socket's, OpenSSL's or Node.js', and all that is left of them where a library has passed them on: this is
 * the only place that reads them.
 */

/** Why there is no connection. */
export type ConnectionFault =
  /** The server's certificate is for another name. */
  | "wrong-name"
  /** It has expired, or is from the future. */
  | "not-valid-now"
  /** No root vouches for it. */
  | "untrusted"
  /** Its name leads to no address. */
  | "unresolved"
  | "unreachable";

/** The first that fits decides. */
const words: readonly (readonly [words: RegExp, fault: ConnectionFault])[] = [
  // Node.js, of getaddrinfo(3): a name may be anything, so this goes first.
  [/\b(?:getaddrinfo|ENOTFOUND|EAI_\w+)\b/, "unresolved"],
  // Node.js, ERR_TLS_CERT_ALTNAME_INVALID.
  [/altnames/i, "wrong-name"],
  // OpenSSL, X509_V_ERR_CERT_HAS_EXPIRED and X509_V_ERR_CERT_NOT_YET_VALID.
  [/certificate has expired|certificate is not yet valid/i, "not-valid-now"],
  // The rest of OpenSSL's X509_V_ERR, in words or as Node.js' code, and "certificate verify failed".
  [/certificate|CERT_|verify/i, "untrusted"],
];

/** Read the words. */
export function connectionFault(cause: string): ConnectionFault {
  return words.find(([pattern]) => pattern.test(cause))?.[1] ?? "unreachable";
}
