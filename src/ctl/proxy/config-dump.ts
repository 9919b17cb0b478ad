/**
 * Envoy's ConfigDump as lists of resources (envoy.admin.v3, the answer of `/config_dump?include_eds`). Pure.
 */
import { at, listAt, textAt } from "../../lifecycle/json-path.ts";

/** One resource as Envoy has it. */
export interface DumpedResource {
  readonly name: string;
  /** In protobuf's JSON form, with the field names of the `.proto`. */
  readonly json: Readonly<Record<string, unknown>>;
  /** From the control plane, and not from the bootstrap. */
  readonly isDynamic: boolean;
  readonly versionInfo?: string;
  readonly lastUpdated?: string;
  /** It is not in use yet. */
  readonly isWarming?: true;
}

/** Kinds of resources that a dump has. */
export type DumpedKind = "cluster" | "listener" | "route" | "endpoint" | "secret" | "ecds";

/** A dump. */
export interface ConfigDump extends Readonly<Record<DumpedKind, readonly DumpedResource[]>> {
  readonly bootstrap: Readonly<Record<string, unknown>> | undefined;
}

/** Where a dump has resources: the message, the list in it, the way to the resource, and the way to its name. */
interface Place {
  readonly message: string;
  readonly list: string;
  readonly resource: readonly string[];
  readonly name: readonly string[];
  readonly isDynamic: boolean;
  readonly isWarming?: true;
}

const dynamic = { isDynamic: true } as const;
const fixed = { isDynamic: false } as const;

const places: Readonly<Record<DumpedKind, readonly Place[]>> = {
  cluster: [
    place("ClustersConfigDump", "dynamic_active_clusters", ["cluster"], dynamic),
    place("ClustersConfigDump", "dynamic_warming_clusters", ["cluster"], { ...dynamic, isWarming: true }),
    place("ClustersConfigDump", "static_clusters", ["cluster"], fixed),
  ],
  listener: [
    place("ListenersConfigDump", "dynamic_listeners", ["active_state", "listener"], dynamic),
    place("ListenersConfigDump", "dynamic_listeners", ["warming_state", "listener"], {
      ...dynamic,
      isWarming: true,
    }),
    place("ListenersConfigDump", "static_listeners", ["listener"], fixed),
  ],
  route: [
    place("RoutesConfigDump", "dynamic_route_configs", ["route_config"], dynamic),
    place("RoutesConfigDump", "static_route_configs", ["route_config"], fixed),
  ],
  endpoint: [
    place("EndpointsConfigDump", "dynamic_endpoint_configs", ["endpoint_config"], {
      ...dynamic,
      name: ["endpoint_config", "cluster_name"],
    }),
    place("EndpointsConfigDump", "static_endpoint_configs", ["endpoint_config"], {
      ...fixed,
      name: ["endpoint_config", "cluster_name"],
    }),
  ],
  secret: [
    place("SecretsConfigDump", "dynamic_active_secrets", ["secret"], dynamic),
    place("SecretsConfigDump", "dynamic_warming_secrets", ["secret"], { ...dynamic, isWarming: true }),
    place("SecretsConfigDump", "static_secrets", ["secret"], fixed),
  ],
  ecds: [place("EcdsConfigDump", "ecds_filters", ["ecds_filter"], dynamic)],
};

function place(
  message: string,
  list: string,
  resource: readonly string[],
  rest: Pick<Place, "isDynamic" | "isWarming"> & { readonly name?: readonly string[] },
): Place {
  return { message, list, resource, name: [...resource, "name"], ...rest };
}

/** Undefined for what is no ConfigDump. */
export function readConfigDump(value: unknown): ConfigDump | undefined {
  const configs = at(value, "configs");
  if (!Array.isArray(configs)) return undefined;
  const section = (message: string): readonly unknown[] =>
    configs.filter((config) => textAt(config, "@type")?.endsWith(`.${message}`) === true);
  const read = (kind: DumpedKind): readonly DumpedResource[] =>
    places[kind].flatMap((where) =>
      section(where.message).flatMap((config) =>
        listAt(config, where.list).flatMap((entry) => resourceAt(entry, where) ?? []),
      ),
    );
  const bootstrap = at(section("BootstrapConfigDump")[0], "bootstrap");
  return {
    bootstrap: isObject(bootstrap) ? bootstrap : undefined,
    cluster: read("cluster"),
    listener: read("listener"),
    route: read("route"),
    endpoint: read("endpoint"),
    secret: read("secret"),
    ecds: read("ecds"),
  };
}

function resourceAt(entry: unknown, where: Place): DumpedResource | undefined {
  const json = at(entry, ...where.resource);
  if (!isObject(json)) return undefined;
  const state = at(entry, ...where.resource.slice(0, -1));
  const [versionInfo, lastUpdated] = ["version_info", "last_updated"].map(
    (name) => textAt(state, name) ?? textAt(entry, name),
  );
  return {
    name: textAt(entry, ...where.name) ?? textAt(entry, "name") ?? "",
    json,
    isDynamic: where.isDynamic,
    ...(versionInfo === undefined ? {} : { versionInfo }),
    ...(lastUpdated === undefined ? {} : { lastUpdated }),
    ...(where.isWarming === true ? { isWarming: true } : {}),
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
