/**
 * The secrets that the agent serves, by the names that Istio's configuration uses.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { type Secret, SecretSchema } from "../proto/agent/secret_pb.js";

/** What there is to serve; a part that is missing is answered when it comes. PEM throughout. */
export interface SdsSecrets {
  readonly workload?: { readonly certificateChainPem: string; readonly privateKeyPem: string };
  readonly rootPem?: string;
}

/** The workload's key and certificate, and the root that peers are verified with. */
const secretNames = ["default", "ROOTCA"] as const;

/** Name of a secret. */
export type SecretName = (typeof secretNames)[number];

/** True for a name that is served; any other must never be answered with the workload's key. */
export function isSecretName(name: string): name is SecretName {
  return (secretNames as readonly string[]).includes(name);
}

/** The encoded `Secret`; undefined when it does not exist yet. */
export function encodeSecret(name: SecretName, secrets: SdsSecrets): Buffer | undefined {
  const secret = name === "default" ? workloadSecret(secrets) : rootSecret(secrets);
  return secret === undefined ? undefined : Buffer.from(toBinary(SecretSchema, secret));
}

function workloadSecret({ workload }: SdsSecrets): Secret | undefined {
  if (workload === undefined) return undefined;
  return create(SecretSchema, {
    name: "default",
    type: {
      case: "tlsCertificate",
      value: {
        certificateChain: inline(workload.certificateChainPem),
        privateKey: inline(workload.privateKeyPem),
      },
    },
  });
}

function rootSecret({ rootPem }: SdsSecrets): Secret | undefined {
  if (rootPem === undefined) return undefined;
  return create(SecretSchema, {
    name: "ROOTCA",
    type: { case: "validationContext", value: { trustedCa: inline(rootPem) } },
  });
}

function inline(pem: string): { specifier: { case: "inlineBytes"; value: Uint8Array } } {
  return { specifier: { case: "inlineBytes", value: Buffer.from(pem) } };
}
