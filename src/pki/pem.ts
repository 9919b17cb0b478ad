/**
 * PEM text (RFC 7468): certificates come in bundles, and files end with or without a newline.
 */

/** The certificates of a bundle, one document each; text around them is left out. */
export function splitPem(text: string): readonly string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

/** Join PEM documents so that each begins on its own line. */
export function joinPem(documents: readonly string[]): string {
  return documents.map((text) => `${text.trim()}\n`).join("");
}

/**
 * The certificates of several bundles as one: each once, sorted, and without a final newline, which is how Istio's
 * agent serves its root (clients compare the bytes).
 */
export function mergeCertificates(bundles: readonly string[]): string {
  return [...new Set(bundles.flatMap(splitPem))].toSorted().join("\n");
}

/** Wrap DER bytes. */
export function toPem(label: string, bytes: Buffer): string {
  const lines = bytes.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
