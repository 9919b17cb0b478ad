/**
 * Which secret answers which name (Istio's names; Envoy's secret documentation).
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { SecretSchema } from "../proto/agent/secret_pb.js";

/** What there is to serve. PEM throughout. */
export interface SdsSecrets {
  readonly workload?: { readonly certificateChainPem: string; readonly privateKeyPem: string };
  readonly rootPem?: string;
}

/** Names that the agent answers. */
export const secretNames = { workload: "default", root: "ROOTCA" } as const;

/** True for a name that can ever be answered. */
export function isKnownSecret(name: string): boolean {
  return name === secretNames.workload || name === secretNames.root;
}

/**
 * The encoded secret of this name; undefined while there is none, and always for an unknown name: the workload's
 * key must never answer a name that does not mean it.
 */
export function encodeSecret(name: string, secrets: SdsSecrets): Uint8Array | undefined {
  const bytes = (text: string): { specifier: { case: "inlineBytes"; value: Uint8Array } } => ({
    specifier: { case: "inlineBytes", value: Buffer.from(text) },
  });
  if (name === secretNames.workload && secrets.workload !== undefined) {
    const { certificateChainPem, privateKeyPem } = secrets.workload;
    const value = { certificateChain: bytes(certificateChainPem), privateKey: bytes(privateKeyPem) };
    return toBinary(SecretSchema, create(SecretSchema, { name, type: { case: "tlsCertificate", value } }));
  }
  if (name === secretNames.root && secrets.rootPem !== undefined) {
    const value = { trustedCa: bytes(secrets.rootPem) };
    return toBinary(SecretSchema, create(SecretSchema, { name, type: { case: "validationContext", value } }));
  }
  return undefined;
}
