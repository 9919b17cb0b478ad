/**
 * Clusters: `SERVICE FQDN PORT SUBSET DIRECTION TYPE DESTINATION RULE`.
 */
import { textAt } from "../../../lifecycle/json-path.ts";
import type { DumpedResource } from "../config-dump.ts";
import { byKeys, type Filters, ruleOf, type View } from "./view.ts";

/** The parts of `outbound|80|v1|api.demo.svc.cluster.local`; undefined for a name of another form. */
export function partsOfCluster(name: string):
  | {
      readonly direction: string;
      readonly port: number;
      readonly subset: string;
      readonly host: string;
    }
  | undefined {
  const [direction, port, subset, host, ...rest] = name.split("|");
  if (direction === undefined || port === undefined || subset === undefined || host === undefined)
    return undefined;
  return rest.length > 0 ? undefined : { direction, port: Number(port), subset, host };
}

/** By host, subset, port and direction. */
export const clusterView: View = {
  columns: ["SERVICE FQDN", "PORT", "SUBSET", "DIRECTION", "TYPE", "DESTINATION RULE"],
  select: (dump, filters) =>
    dump.cluster.filter((cluster) => isMeant(cluster, filters)).toSorted(byKeys(({ name }) => keysOf(name))),
  rows: ({ name, json }) => {
    const { direction, port, subset, host } = partsOfCluster(name) ?? {
      direction: "-",
      port: "-",
      subset: "-",
      host: name,
    };
    const type = textAt(json, "type") ?? textAt(json, "cluster_type", "name") ?? "STATIC";
    return [[host, String(port), subset === "" ? "-" : subset, direction, type, ruleOf(json)]];
  },
};

function keysOf(name: string): readonly (string | number)[] {
  const parts = partsOfCluster(name);
  return parts === undefined ? [name, "", 0, ""] : [parts.host, parts.subset, parts.port, parts.direction];
}

function isMeant({ name }: DumpedResource, { fqdn, port, subset, direction }: Filters): boolean {
  const parts = partsOfCluster(name);
  return (
    (fqdn === undefined || name.includes(fqdn)) &&
    (port === undefined || parts?.port === port) &&
    (subset === undefined || parts?.subset === subset) &&
    (direction === undefined || parts?.direction === direction)
  );
}
