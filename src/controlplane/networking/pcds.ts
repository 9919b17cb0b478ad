/**
 * The roots of the mesh (Istio's PCDS): `istio.mesh.v1alpha1.ProxyConfig` with its field `ca_certificates_pem`, by its number in
 * istio/api's `mesh/v1alpha1/proxy.proto`.
 */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { ProxyView } from "./view.ts";

/** A ProxyConfig, as far as it is sent. */
interface ProxyConfigJson {
  readonly caCertificatesPem: readonly string[];
}

const certificatesField = 34;

/** One, or none where the roots are not known: an empty one would take them away. */
export function generateTrustBundles({ model }: ProxyView): readonly ProxyConfigJson[] {
  const { trustBundle } = model;
  return trustBundle.length === 0 ? [] : [{ caCertificatesPem: trustBundle }];
}

/** @param json a ProxyConfigJson */
export function encodeTrustBundle(json: object): Uint8Array {
  const writer = new BinaryWriter();
  for (const pem of (json as ProxyConfigJson).caCertificatesPem)
    writer.tag(certificatesField, WireType.LengthDelimited).string(pem);
  return writer.finish();
}
