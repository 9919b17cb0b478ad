/** Which service an extension provider means. */
import type { ConfigObject } from "./objects.ts";

/** A service as far as it is known by its name. */
interface Named {
  readonly host: string;
  readonly namespace: string;
}

/** The names of all services that objects declare. */
export function hostsOf(
  entries: readonly Extract<ConfigObject, { kind: "ServiceEntry" }>[],
): readonly Named[] {
  return entries.flatMap(({ namespace, spec }) =>
    spec.hosts.map((host) => ({ namespace, host: host.toLowerCase().replace(/\.$/, "") })),
  );
}

/** Why a name is no service's; undefined where it is one's. */
export function whyNoService(name: string, services: readonly Named[]): string | undefined {
  const namespaces = new Set(servicesNamed(name, services).map(({ namespace }) => namespace));
  if (namespaces.size === 1) return undefined;
  if (namespaces.size === 0) return `${name} is no service of the mesh`;
  return `${name} is in several namespaces (${[...namespaces].toSorted().join(", ")}): write namespace/${name}`;
}

/** Those that a name means: a host, or namespace/host. */
export function servicesNamed<S extends Named>(name: string, services: readonly S[]): readonly S[] {
  const [host = "", namespace] = name.toLowerCase().split("/").toReversed();
  return services.filter(
    (service) => service.host === host && (namespace === undefined || service.namespace === namespace),
  );
}
