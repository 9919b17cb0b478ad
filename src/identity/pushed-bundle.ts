/**
 * The mesh's roots as a control plane pushes them (Istio's PCDS): field `ca_certificates_pem` of
 * `istio.mesh.v1alpha1.ProxyConfig`, by its number in istio/api's `mesh/v1alpha1/proxy.proto`.
 */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { errorMessage } from "../lifecycle/error-message.ts";
import { readableCertificates } from "../pki/certificate.ts";

/** What came of reading one. */
export type PushedBundle =
  | { readonly kind: "read"; readonly rootsPem: readonly string[] }
  | { readonly kind: "refused"; readonly reason: string };

const certificatesField = 34;

/** @param bytes a ProxyConfig; undefined is an empty one, which takes the roots away */
export function readPushedBundle(bytes: Uint8Array | undefined): PushedBundle {
  try {
    const rootsPem = bytes === undefined ? [] : certificatesIn(bytes);
    const bad = rootsPem.findIndex((pem) => readableCertificates(pem).length === 0);
    return bad === -1
      ? { kind: "read", rootsPem }
      : { kind: "refused", reason: `ca_certificates_pem[${bad}] holds no PEM certificate` };
  } catch (error) {
    return { kind: "refused", reason: errorMessage(error) };
  }
}

function certificatesIn(bytes: Uint8Array): readonly string[] {
  const rootsPem: string[] = [];
  const text = new TextDecoder("utf-8", { fatal: true });
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (wireType !== WireType.LengthDelimited) reader.skip(wireType, field);
    else if (field === certificatesField) rootsPem.push(text.decode(reader.bytes()));
    else reader.skip(wireType, field);
  }
  return rootsPem;
}
