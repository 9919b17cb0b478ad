/**
 * Cipher suites that Envoy takes (BoringSSL's names, which Istio's Gateway has as well). Those of TLS 1.3 cannot be chosen. One
 * name that it does not know makes Envoy refuse the listener with all of its servers.
 */
const known: ReadonlySet<string> = new Set([
  ...["ECDSA", "RSA"].flatMap((key) => [
    `ECDHE-${key}-AES128-GCM-SHA256`,
    `ECDHE-${key}-AES256-GCM-SHA384`,
    `ECDHE-${key}-CHACHA20-POLY1305`,
    `ECDHE-${key}-AES128-SHA`,
    `ECDHE-${key}-AES256-SHA`,
  ]),
  "AES128-GCM-SHA256",
  "AES256-GCM-SHA384",
  "AES128-SHA",
  "AES256-SHA",
  "DES-CBC3-SHA",
  "ALL",
]);

/** True for a suite that Envoy knows, as it is, excluded (`!`, `-`) or moved (`+`), and for some of equal rank, `[A|B]`. */
export function isCipherSuite(written: string): boolean {
  const alike = /^\[(.+)\]$/.exec(written)?.[1];
  return alike === undefined
    ? known.has(written.replace(/^[-+!]/, ""))
    : alike.split("|").every((name) => known.has(name));
}

/** Those that Envoy takes, each once; none where nothing is left but what is excluded, which Envoy refuses. */
export function takenSuites(written: readonly string[]): readonly string[] {
  const taken = [...new Set(written.filter(isCipherSuite))];
  return taken.every((suite) => /^[-+!]/.test(suite)) ? [] : taken;
}
