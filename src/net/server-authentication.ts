/**
 * How a TLS client of this program authenticates its server, whatever the environment says.
 *
 * Node.js would leave it to NODE_TLS_REJECT_UNAUTHORIZED, add NODE_EXTRA_CA_CERTS to its own roots, and take the common
 * name of a certificate that has no DNS name, such as a workload's (RFC 9525, section 6.3, forbids it).
 */
import {
  checkServerIdentity,
  type ConnectionOptions,
  type PeerCertificate,
  rootCertificates,
  type SecureContextOptions,
} from "node:tls";

const nobody = {} as PeerCertificate["subject"];

/** Why a certificate is not for `host`; undefined when it is. The certificate's common name counts for nothing. */
export function serverIdentityError(host: string, certificate: PeerCertificate): Error | undefined {
  // Of the subject Node.js reads the common name alone.
  return checkServerIdentity(host, { ...certificate, subject: nobody });
}

/** Options of every connection whose server is authenticated: these come last. */
export const authenticated = {
  rejectUnauthorized: true,
  checkServerIdentity: serverIdentityError,
} as const satisfies ConnectionOptions;

/** Roots as they are given, else those that this Node.js brings, and no others. */
export function trustedRoots(roots: Buffer | undefined): Required<Pick<SecureContextOptions, "ca">> {
  return { ca: roots ?? [...rootCertificates] };
}
