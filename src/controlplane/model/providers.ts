/** The services of a mesh that its extension providers name: what is told of others is told to them. */
import type { MeshConfigSpec } from "../config/objects.ts";
import { servicesNamed, whyNoService } from "../config/provider-services.ts";
import type { Service } from "./model.ts";

/** A service that a provider is, as far as it decides who can reach it. */
export interface ProviderService {
  readonly host: string;
  readonly namespace: string;
  readonly exportTo: readonly string[];
  readonly ports: readonly number[];
}

/** By what providers call them: a host, or namespace/host. */
export type ProviderServices = ReadonlyMap<string, ProviderService>;

/** Whatever of a provider names a service. */
interface Naming {
  readonly service: string;
}

/** Names of services in the providers of a mesh. */
export function namedServices({ extensionProviders = [] }: MeshConfigSpec): readonly string[] {
  const names = extensionProviders.flatMap((provider) =>
    Object.values(provider).flatMap((value) => (isNaming(value) ? [value.service] : [])),
  );
  return [...new Set(names)];
}

function isNaming(value: unknown): value is Naming {
  return (
    typeof value === "object" && value !== null && "service" in value && typeof value.service === "string"
  );
}

/** The services of all names that are one's. */
export function providerServices(mesh: MeshConfigSpec, services: readonly Service[]): ProviderServices {
  return new Map(
    namedServices(mesh).flatMap((name): readonly (readonly [string, ProviderService])[] => {
      const found = servicesNamed(name, services);
      const [first] = found;
      if (first === undefined || whyNoService(name, found) !== undefined) return [];
      const { host, namespace, exportTo } = first;
      const ports = found.flatMap((service) => service.ports.map(({ number }) => number));
      return [[name, { host, namespace, exportTo, ports }]];
    }),
  );
}
