/** Certificate requests of every kind that a careless or hostile client could send. */
import { type KeyObject, sign } from "node:crypto";
import * as der from "../../src/pki/der.ts";
import { toPem } from "../../src/pki/pem.ts";

const oids = {
  "RSA SHA-256": ["sha256", "1.2.840.113549.1.1.11"],
  "RSA SHA-1": ["sha1", "1.2.840.113549.1.1.5"],
  "RSA MD5": ["md5", "1.2.840.113549.1.1.4"],
  "ECDSA SHA-256": ["sha256", "1.2.840.10045.4.3.2"],
  "ECDSA SHA-512": ["sha512", "1.2.840.10045.4.3.4"],
  "ECDSA SHA-1": ["sha1", "1.2.840.10045.4.1"],
  Ed25519: [null, "1.3.101.112"],
} as const;

export interface RequestChanges {
  /** Extensions that are asked for, DER. */
  readonly extensions?: readonly Buffer[];
  /** Another key than the one that is certified signs. */
  readonly signedBy?: KeyObject;
}

export interface Pair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** The request, DER. */
export function requestDer(
  { publicKey, privateKey }: Pair,
  algorithm: keyof typeof oids,
  { extensions = [], signedBy = privateKey }: RequestChanges = {},
): Buffer {
  const [hash, oid] = oids[algorithm];
  const asked = der.sequence(
    der.objectIdentifier("1.2.840.113549.1.9.14"),
    der.set(der.sequence(...extensions)),
  );
  const information = der.sequence(
    der.smallInteger(0),
    der.sequence(),
    publicKey.export({ format: "der", type: "spki" }),
    der.contextual(0, extensions.length === 0 ? Buffer.alloc(0) : asked, "constructed"),
  );
  const parameters = algorithm.startsWith("RSA") ? [Buffer.from([0x05, 0x00])] : [];
  return der.sequence(
    information,
    der.sequence(der.objectIdentifier(oid), ...parameters),
    der.bitString(sign(hash, information, signedBy)),
  );
}

export function requestPem(...args: Parameters<typeof requestDer>): string {
  return toPem("CERTIFICATE REQUEST", requestDer(...args));
}

/** An extension. */
export function extension(oid: string, value: Buffer): Buffer {
  return der.sequence(der.objectIdentifier(oid), der.booleanTrue(), der.octetString(value));
}
