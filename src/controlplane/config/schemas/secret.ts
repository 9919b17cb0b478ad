/**
 * Certificates of gateways and credentials of images, as Kubernetes keeps them: Secret, as far as it holds some.
 */
import { boolean, mapping, object, optional, text } from "../decode.ts";

const isBase64 = (value: string): boolean =>
  /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value);

/** The names under which Istio takes certificates, keys and roots: Kubernetes' own first. */
export const secretKeys = {
  certificate: ["tls.crt", "cert"],
  privateKey: ["tls.key", "key"],
  root: ["ca.crt", "cacert"],
} as const;

/** Where Secrets of the type kubernetes.io/dockerconfigjson have Docker's configuration. */
export const dockerConfigKey = ".dockerconfigjson";

/** What a Secret of Kubernetes says besides its metadata. */
export const secret = object({
  type: optional(text()),
  immutable: optional(boolean),
  data: optional(mapping(text("base64 without line breaks", isBase64))),
  stringData: optional(mapping(text("text", () => true))),
});
