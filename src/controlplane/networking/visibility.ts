/**
 * Which services a proxy sees, by its Sidecar's egress hosts.
 */
import type { SidecarSpec } from "../config/objects.ts";
import type { Model, Service } from "../model/model.ts";
import type { Proxy } from "../model/proxy.ts";

/** Services that any egress listener of the Sidecar names; all of them without a Sidecar. */
export function visibleServices(
  model: Model,
  proxy: Proxy,
  sidecar: SidecarSpec | undefined,
): readonly Service[] {
  if (sidecar?.egress === undefined) return model.services;
  const hosts = sidecar.egress.flatMap((listener) => listener.hosts);
  return servicesNamed(model.services, hosts, proxy.namespace);
}

/** Whether the proxy may call what no service has. */
export function allowsAny(sidecar: SidecarSpec | undefined): boolean {
  return sidecar?.outboundTrafficPolicy?.mode !== "REGISTRY_ONLY";
}

/** Services that `namespace/host` patterns name. */
export function servicesNamed(
  services: readonly Service[],
  patterns: readonly string[],
  ownNamespace: string,
): readonly Service[] {
  return services.filter((service) => patterns.some((pattern) => isNamed(service, pattern, ownNamespace)));
}

function isNamed(service: Service, pattern: string, ownNamespace: string): boolean {
  const [namespace = "", host = ""] = pattern.split("/");
  const wanted = namespace === "." ? ownNamespace : namespace;
  if (wanted !== "*" && wanted !== service.namespace) return false;
  return (
    host === "*" || host === service.host || (host.startsWith("*.") && service.host.endsWith(host.slice(1)))
  );
}
