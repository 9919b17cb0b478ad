/**
 * A service, by the mesh's objects. Pure.
 */
import { convertGatewayApi } from "../../controlplane/config/gateway-api/convert.ts";
import { fullName, isHostNamed } from "../../controlplane/config/host-names.ts";
import type { ConfigObject } from "../../controlplane/config/objects.ts";
import { byAge, objectId } from "../../controlplane/config/objects.ts";
import { type Place, placeOf } from "./pod.ts";

/** What is shown. */
export interface DescribedService {
  readonly host: string;
  readonly declared: Place;
  readonly ports: readonly string[];
  readonly endpoints: number;
  /** The rules for it; of several that route its requests, the first counts. */
  readonly rules: readonly (Place & { readonly says: string })[];
}

/** The services that may be meant. @param name a host, or how one begins, such as `api.demo` */
export function hostsNamed(objects: readonly ConfigObject[], name: string): readonly string[] {
  const hosts = serviceHosts(objects);
  return hosts.includes(name) ? [name] : hosts.filter((host) => host.startsWith(`${name}.`));
}

/** Hosts of all services, in order. */
export function serviceHosts(objects: readonly ConfigObject[]): readonly string[] {
  const hosts = objects.flatMap((object) => (object.kind === "ServiceEntry" ? object.spec.hosts : []));
  return [...new Set(hosts)].toSorted();
}

/** @param host as a service has it; undefined when none does */
export function describeService(
  objects: readonly ConfigObject[],
  host: string,
): DescribedService | undefined {
  const ordered = objects.toSorted(byAge);
  const entry = ordered.find((object) => object.kind === "ServiceEntry" && object.spec.hosts.includes(host));
  if (entry?.kind !== "ServiceEntry") return undefined;
  // Routes of the Gateway API are told as they were written.
  const routes = convertGatewayApi(objects).objects.flatMap((object) =>
    object.kind === "VirtualService" && object.spec.hosts.includes(host)
      ? (object.spec.http ?? []).map(({ origin }) => origin && objectId(origin))
      : [],
  );
  const rules = ordered.flatMap((object): readonly (Place & { readonly says: string })[] => {
    const hasHost = (own: string): boolean => isHostNamed(host, fullName(own, object.namespace));
    switch (object.kind) {
      case "VirtualService": {
        const { hosts, http = [], tcp = [], tls = [] } = object.spec;
        const says = `${http.length} routes of requests, ${tcp.length + tls.length} of connections`;
        return hosts.some(hasHost) ? [{ ...placeOf(object), says }] : [];
      }
      case "DestinationRule": {
        const { host: own, subsets = [], trafficPolicy } = object.spec;
        const names = subsets.map(({ name: subset }) => subset).join(", ");
        const says = [
          ...(names === "" ? [] : [`subsets ${names}`]),
          ...(trafficPolicy === undefined ? [] : [`policy for ${Object.keys(trafficPolicy).join(", ")}`]),
        ].join("; ");
        return hasHost(own) ? [{ ...placeOf(object), says }] : [];
      }
      case "HTTPRoute":
      case "GRPCRoute": {
        const own = routes.filter((id) => id === objectId(object)).length;
        return own === 0 ? [] : [{ ...placeOf(object), says: `${own} routes of requests` }];
      }
      default:
        return [];
    }
  });
  return {
    host,
    declared: placeOf(entry),
    ports: entry.spec.ports.map(
      ({ number, name: port, protocol }) =>
        `${number} ${port}${protocol === undefined ? "" : ` (${protocol})`}`,
    ),
    endpoints: (entry.spec.endpoints?.length ?? 0) + selectedBy(entry, objects),
    rules,
  };
}

/** How many workloads its selector takes: of its namespace, those that have all its labels. */
function selectedBy(
  { namespace, spec }: ConfigObject & { readonly kind: "ServiceEntry" },
  objects: readonly ConfigObject[],
): number {
  const wanted = spec.workloadSelector?.labels;
  if (wanted === undefined) return 0;
  return objects.filter(
    (object) =>
      object.kind === "WorkloadEntry" &&
      object.namespace === namespace &&
      Object.entries(wanted).every(([label, value]) => object.spec.labels?.[label] === value),
  ).length;
}

/** For people. */
export function serviceLines({
  host,
  declared,
  ports,
  endpoints,
  rules,
}: DescribedService): readonly string[] {
  return [
    `Service: ${host}, ${declared.object} (${declared.place})`,
    ...ports.map((port) => `   Port: ${port}`),
    `   Endpoints in it: ${endpoints}`,
    ...(rules.length === 0 ? ["Rules: none"] : []),
    ...rules.map(({ object, place, says }) => `${object} (${place}): ${says}`),
  ];
}
