/**
 * Routes in istioctl's words. Pure.
 */
import { at, listAt, textAt } from "../../../lifecycle/json-path.ts";

/** `/api*`, `/exact`, `regex …`; other conditions are not shown. */
export function matchWords(match: unknown): string {
  const prefix = textAt(match, "prefix") ?? textAt(match, "path_separated_prefix");
  const regex = textAt(match, "safe_regex", "regex");
  return [
    prefix === undefined ? undefined : `${prefix}*`,
    textAt(match, "path"),
    regex === undefined ? undefined : `regex ${regex}`,
  ]
    .filter((part) => part !== undefined)
    .join(" ");
}

/** The first two domains of a virtual host, shorter and longer spellings of the same left out, and how many more there are. */
export function domainWords(domains: readonly string[]): string {
  const [only] = domains;
  if (only === undefined || domains.length === 1) return only ?? "";
  const all = new Set(domains);
  const isSpelledShorter = (domain: string): boolean =>
    [".svc.cluster.local", ".svc"].some(
      (suffix) => domain.endsWith(suffix) && all.has(domain.slice(0, -suffix.length)),
    );
  // With a port it is the same once more; an IPv6 address has colons of its own.
  const shown = domains.filter((domain) => !/^[^:]*:\d+$/.test(domain) && !isSpelledShorter(domain));
  const first = shown.slice(0, 2).join(", ");
  return shown.length > 2 ? `${first} + ${shown.length - 2} more...` : first;
}

/** Where a chain with an inline route configuration leads. */
export function inlineRouteWords(config: unknown): string {
  const hosts = listAt(config, "virtual_hosts");
  const cluster = onlyClusterOf(hosts);
  if (cluster !== undefined) return clusterWords(cluster);
  const parts = hosts.map((host) => {
    const domains = listAt(host, "domains").map(String);
    const routes = listAt(host, "routes").map((route) => matchWords(at(route, "match")));
    const where = domains.length === 1 && domains[0] === "*" ? "" : `${domains.join("/")} `;
    return `${where}${routes.join(", ")}`;
  });
  return `Inline Route: ${parts.join("; ")}`;
}

/** Names of clusters that say themselves what they are stand alone. */
export function clusterWords(cluster: string): string {
  return cluster.includes("Cluster") ? cluster : `Cluster: ${cluster}`;
}

function onlyClusterOf(hosts: readonly unknown[]): string | undefined {
  const [host, ...others] = hosts;
  const [route, ...more] = listAt(host, "routes");
  const domains = listAt(host, "domains");
  if (others.length > 0 || more.length > 0 || domains.length !== 1 || domains[0] !== "*") return undefined;
  return textAt(route, "match", "prefix") === "/" ? textAt(route, "route", "cluster") : undefined;
}
