/**
 * Credentials out of Docker's configuration, as pull secrets hold it. Pure.
 */
import { isMapping } from "../../document/mapping.ts";

/** What a registry is shown. */
export type Credentials =
  | { readonly kind: "anonymous" }
  | { readonly kind: "password"; readonly username: string; readonly password: string }
  /** Exchanged for an access token. */
  | { readonly kind: "identity-token"; readonly token: string }
  /** Shown as it is. */
  | { readonly kind: "registry-token"; readonly token: string };

/** Docker's key of its own registry. */
const dockerHub = "index.docker.io";

/**
 * The credentials for a repository: those of the longest key that is the registry, or the registry and a beginning of
 * the repository's path.
 *
 * @param config JSON with `auths`, or its value alone (the older `.dockercfg`)
 * @returns undefined when `config` is no such JSON
 */
export function credentialsFor(
  config: string,
  registry: string,
  repository: string,
): Credentials | undefined {
  let fields: unknown;
  try {
    fields = JSON.parse(config);
  } catch {
    return undefined;
  }
  if (!isMapping(fields)) return undefined;
  const auths = isMapping(fields["auths"]) ? fields["auths"] : fields;
  const place = `${registry.toLowerCase()}/${repository}`;
  const [best] = Object.entries(auths)
    .map(([key, entry]) => ({ key: normalKey(key), entry }))
    .filter(({ key, entry }) => isMapping(entry) && (place === key || place.startsWith(`${key}/`)))
    .toSorted((a, b) => b.key.length - a.key.length);
  return best === undefined || !isMapping(best.entry) ? { kind: "anonymous" } : readEntry(best.entry);
}

/** Keys may be hosts, hosts with paths, or the URLs of Docker's first API. */
function normalKey(key: string): string {
  const [host = "", ...path] = key
    .replace(/^https?:\/\//i, "")
    .replace(/\/v[12]\/?$/, "")
    .replace(/\/$/, "")
    .split("/");
  const name = host.toLowerCase();
  return [name === "docker.io" || name === "registry-1.docker.io" ? dockerHub : name, ...path].join("/");
}

function readEntry(entry: Readonly<Record<string, unknown>>): Credentials {
  const text = (field: string): string => (typeof entry[field] === "string" ? entry[field] : "");
  const registryToken = text("registrytoken");
  if (registryToken !== "") return { kind: "registry-token", token: registryToken };
  const identityToken = text("identitytoken");
  if (identityToken !== "") return { kind: "identity-token", token: identityToken };
  const decoded = Buffer.from(text("auth"), "base64").toString("utf8");
  const colon = decoded.indexOf(":");
  const username = colon < 0 ? text("username") : decoded.slice(0, colon);
  // Docker pads with zeros.
  const password = colon < 0 ? text("password") : decoded.slice(colon + 1).replace(/\0+$/, "");
  return username === "" && password === ""
    ? { kind: "anonymous" }
    : { kind: "password", username, password };
}
