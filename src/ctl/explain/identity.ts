/**
 * Who an Envoy is: the SPIFFE ID of the certificate that it has, as its dump shows it.
 */
import { X509Certificate } from "node:crypto";
import { textAt } from "../../lifecycle/json-path.ts";
import type { ConfigDump } from "../proxy/config-dump.ts";

/** Undefined for an Envoy without a certificate of its own. */
export function identityOf({ secret }: Pick<ConfigDump, "secret">): string | undefined {
  const own = secret.find(({ name }) => name === "default");
  const chain = textAt(own?.json, "tls_certificate", "certificate_chain", "inline_bytes");
  if (chain === undefined) return undefined;
  try {
    const { subjectAltName = "" } = new X509Certificate(Buffer.from(chain, "base64"));
    return /URI:(spiffe:[^,\s]+)/.exec(subjectAltName)?.[1];
  } catch {
    return undefined;
  }
}
