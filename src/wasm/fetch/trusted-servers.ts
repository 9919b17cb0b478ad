/**
 * Servers that the operator has named in WASM_INSECURE_REGISTRIES. Pure.
 */

/** What a server is allowed. */
export interface ServerLicence {
  /** Its certificate is not looked at, and plain text will do. */
  readonly insecure: boolean;
  /** It may have an address of this machine: only one that is named by itself. */
  readonly loopback: boolean;
}

/** @param url of which host and port count */
export function licenceOf(url: URL, insecureRegistries: readonly string[]): ServerLicence {
  const names = [
    url.host,
    url.hostname,
    `${url.hostname}:${url.port || (url.protocol === "http:" ? 80 : 443)}`,
  ];
  const isNamed = names.some((name) => insecureRegistries.includes(name));
  return { insecure: isNamed || insecureRegistries.includes("*"), loopback: isNamed };
}
