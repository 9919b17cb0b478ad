/**
 * Clusters that keep an Envoy from its listeners: it asks for these only once each cluster of the first configuration
 * has its addresses, or has failed to get them (Envoy's documentation, "Initialization").
 */
import { textAt } from "../../lifecycle/json-path.ts";
import type { Stats } from "./admin.ts";

/** RE2 expression of the statistics that `heldClusters` reads. */
export const clusterUpdateStats = "^cluster\\..*\\.update_(attempt|success|failure|empty)$";

/** Fields of a cluster that `heldClusters` reads. */
export const heldClusterFields: readonly string[] = ["cluster.name", "cluster.type", "cluster.alt_stat_name"];

/** Clusters by what they wait for. */
export interface HeldClusters {
  /** An answer of DNS. */
  readonly dns: readonly string[];
  /** Endpoints from the control plane. */
  readonly endpoints: readonly string[];
}

/** @param clusters of a configuration dump, warming or not */
export function heldClusters(stats: Stats, clusters: readonly unknown[]): HeldClusters {
  const dns: string[] = [];
  const endpoints: string[] = [];
  for (const cluster of clusters) {
    const name = textAt(cluster, "cluster", "name") ?? "";
    const statName = (textAt(cluster, "cluster", "alt_stat_name") ?? name).replaceAll(":", "_");
    const count = (what: string): number => stats.get(`cluster.${statName}.update_${what}`) ?? 0;
    switch (textAt(cluster, "cluster", "type")) {
      case "STRICT_DNS":
      case "LOGICAL_DNS":
        // A look-up that fails is an end of the wait as well.
        if (count("attempt") > 0 && count("success") + count("failure") + count("empty") === 0)
          dns.push(name);
        break;
      case "EDS":
        if (count("attempt") > 0 && count("success") === 0) endpoints.push(name);
        break;
      default:
        break;
    }
  }
  return { dns, endpoints };
}

/** What Envoy waits for, in words; undefined for nothing. DNS comes first: Envoy asks for endpoints after it. */
export function describeHeld({ dns, endpoints }: HeldClusters): string | undefined {
  if (dns.length > 0) return `Envoy waits until DNS answers for its clusters: ${listed(dns)}`;
  if (endpoints.length > 0)
    return `Envoy waits for the control plane's endpoints of its clusters: ${listed(endpoints)}`;
  return undefined;
}

/** More would not be read. */
const longestList = 3;

function listed(names: readonly string[]): string {
  const more = names.length - longestList;
  return names.slice(0, longestList).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
