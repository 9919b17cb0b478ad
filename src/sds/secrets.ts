/**
 * Secrets as Envoy reads them (envoy.extensions.transport_sockets.tls.v3.Secret). PEM throughout.
 */
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { anyPack, durationFromMs } from "@bufbuild/protobuf/wkt";
import {
  type PrivateKeyProviderSchema,
  PrivateKeyMethodConfigSchema,
  SecretSchema,
  SPIFFECertValidatorConfigSchema,
} from "../proto/agent/secret_pb.js";

/** What there is to serve; a part that is missing is answered when it comes. */
export interface SdsSecrets {
  readonly workload?: KeyPair;
  readonly rootPem?: string;
  /** Revoked certificates, besides those of the file. */
  readonly crlPem?: string;
  /** Undefined where peers of one trust domain only are trusted. */
  readonly federation?: Federation;
}

/** Peers of other trust domains, each known by roots of its own. */
export interface Federation {
  /** The workload's own and its aliases, which the workload's root vouches for. */
  readonly trustDomains: readonly string[];
  /** PEM bundles of the others, by their names. */
  readonly bundles: ReadonlyMap<string, string>;
}

/** A key and its chain, leaf first. */
export interface KeyPair {
  readonly certificateChainPem: string;
  readonly privateKeyPem: string;
}

/** Hardware that signs with the keys (ProxyConfig privateKeyProvider; Envoy's contrib build has the drivers). */
export interface PrivateKeyProviderOptions {
  readonly name: "cryptomb" | "qat";
  readonly pollDelayMs: number;
  /** Sign in software where the hardware is missing. */
  readonly fallback: boolean;
}

/** The encoded secret of a key pair. */
export function encodeKeyPair(
  name: string,
  pair: KeyPair,
  provider: PrivateKeyProviderOptions | undefined,
): Buffer {
  const certificateChain = inline(pair.certificateChainPem);
  const value =
    provider === undefined
      ? { certificateChain, privateKey: inline(pair.privateKeyPem) }
      : { certificateChain, privateKeyProvider: hardware(provider, pair.privateKeyPem) };
  return encode({ name, type: { case: "tlsCertificate", value } });
}

/** The encoded secret of roots. */
export function encodeRoots(name: string, rootPem: string, crlPem: string | undefined): Buffer {
  const value = {
    trustedCa: inline(rootPem),
    ...(crlPem === undefined ? {} : { crl: inline(crlPem) }),
  };
  return encode({ name, type: { case: "validationContext", value } });
}

/**
 * The same where other trust domains are trusted, too: Envoy's SPIFFE validator lets each bundle vouch for names of
 * its own domain only. It takes revoked certificates from the bundle itself.
 */
export function encodeFederatedRoots(
  name: string,
  rootPem: string,
  { trustDomains, bundles }: Federation,
  crlPem: string | undefined,
): Buffer {
  const own = crlPem === undefined ? rootPem : `${rootPem}\n${crlPem}`;
  const config = create(SPIFFECertValidatorConfigSchema, {
    // What somebody else's bundle vouches for, ours does not, even if it did once.
    trustDomains: [
      ...trustDomains.filter((name) => !bundles.has(name)).map((name) => [name, own] as const),
      ...bundles,
    ].map(([name, pem]) => ({
      name,
      trustBundle: inline(pem),
    })),
  });
  const customValidatorConfig = {
    name: "envoy.tls.cert_validator.spiffe",
    typedConfig: anyPack(SPIFFECertValidatorConfigSchema, config),
  };
  return encode({ name, type: { case: "validationContext", value: { customValidatorConfig } } });
}

function encode(secret: MessageInitShape<typeof SecretSchema>): Buffer {
  return Buffer.from(toBinary(SecretSchema, create(SecretSchema, secret)));
}

function inline(pem: string): { specifier: { case: "inlineBytes"; value: Uint8Array } } {
  return { specifier: { case: "inlineBytes", value: Buffer.from(pem) } };
}

const methodTypeUrls = {
  cryptomb:
    "type.googleapis.com/envoy.extensions.private_key_providers.cryptomb.v3alpha.CryptoMbPrivateKeyMethodConfig",
  qat: "type.googleapis.com/envoy.extensions.private_key_providers.qat.v3alpha.QatPrivateKeyMethodConfig",
} as const;

function hardware(
  { name, pollDelayMs, fallback }: PrivateKeyProviderOptions,
  privateKeyPem: string,
): MessageInitShape<typeof PrivateKeyProviderSchema> {
  const method = create(PrivateKeyMethodConfigSchema, {
    privateKey: inline(privateKeyPem),
    pollDelay: durationFromMs(pollDelayMs),
  });
  const { value } = anyPack(PrivateKeyMethodConfigSchema, method);
  return { providerName: name, typedConfig: { typeUrl: methodTypeUrls[name], value }, fallback };
}
