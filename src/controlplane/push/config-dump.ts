/**
 * What a proxy is to have, in the form in which Envoy itself says what it has: the ConfigDump of its admin interface
 * (https://www.envoyproxy.io/docs/envoy/latest/api-v3/admin/v3/config_dump.proto), so that both can be compared.
 */
import { type PushedType, pushedTypes, type ResourceKind } from "../networking/pushed-types.ts";
import type { VersionedResource } from "../../xds/delta-subscription.ts";

/** A ConfigDump in JSON. */
export interface ConfigDump {
  readonly configs: readonly object[];
}

/** Where Envoy's dump has the resources of a type. */
interface Section {
  readonly message: string;
  readonly entry: (name: string, resource: object) => object;
  readonly list: string;
}

const sections: Readonly<Partial<Record<ResourceKind, Section>>> = {
  cluster: {
    message: "ClustersConfigDump",
    list: "dynamic_active_clusters",
    entry: (_, cluster) => ({ cluster }),
  },
  listener: {
    message: "ListenersConfigDump",
    list: "dynamic_listeners",
    entry: (name, listener) => ({ name, active_state: { listener } }),
  },
  route: {
    message: "RoutesConfigDump",
    list: "dynamic_route_configs",
    entry: (_, route) => ({ route_config: route }),
  },
  endpoint: {
    message: "EndpointsConfigDump",
    list: "dynamic_endpoint_configs",
    entry: (_, endpoint) => ({ endpoint_config: endpoint }),
  },
};

/** A pure function; resources are in the order of their names. */
export function configDumpOf(
  resources: ReadonlyMap<string, { values(): Iterable<VersionedResource> }>,
): ConfigDump {
  const configs = Object.entries(sections).flatMap(([kind, { message, list, entry }]) => {
    const type: PushedType = pushedTypes[kind as ResourceKind];
    const { typeUrl, decode } = type;
    if (decode === undefined) return [];
    const found = [...(resources.get(typeUrl)?.values() ?? [])].toSorted((a, b) =>
      a.name < b.name ? -1 : 1,
    );
    const entries = found.map(({ name, bytes }) => entry(name, { "@type": typeUrl, ...decode(bytes) }));
    return [{ "@type": `type.googleapis.com/envoy.admin.v3.${message}`, [list]: entries }];
  });
  return { configs };
}
