/**
 * Hosts as rules name them.
 */

const clusterDomain = "svc.cluster.local";

/** `reviews` in the namespace demo is `reviews.demo.svc.cluster.local`; a name with a dot, and `*`, stay. */
export function fullName(host: string, namespace: string): string {
  const name = host.endsWith(".") ? host.slice(0, -1) : host;
  return name.includes(".") || name.startsWith("*") ? name : `${name}.${namespace}.${clusterDomain}`;
}

/** True when a host, which may be a wildcard itself, is one that `pattern` names. */
export function isHostNamed(host: string, pattern: string): boolean {
  const [name, wanted] = [host.toLowerCase(), pattern.toLowerCase()];
  if (wanted === "*") return true;
  return wanted.startsWith("*") ? name.endsWith(wanted.slice(1)) : name === wanted;
}

/** True when every host that `host` stands for, itself perhaps a wildcard, is one of `pattern`'s, letter by letter. */
export function isCovered(host: string, pattern: string): boolean {
  return pattern.startsWith("*")
    ? host.slice(host.startsWith("*") ? 1 : 0).endsWith(pattern.slice(1))
    : host === pattern;
}

/** A rule for these is for sidecars. */
export const meshGateway = "mesh";

/** `namespace/name` of a Gateway as a rule of a namespace names it; the mesh is no Gateway, and stays. */
export function gatewayName(name: string, namespace: string): string {
  if (name === meshGateway) return name;
  const [own = "", where = "."] = name.split("/").toReversed();
  return `${where === "." ? namespace : where}/${own}`;
}
