/**
 * A service, by the mesh's objects. Pure.
 */
import { fullName } from "../../controlplane/config/host-names.ts";
import type { ConfigObject } from "../../controlplane/config/objects.ts";
import { byAge } from "../../controlplane/config/objects.ts";
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

/** @param name its host, or how that begins, such as `api.demo`; undefined when there is none */
export function describeService(
  objects: readonly ConfigObject[],
  name: string,
): DescribedService | undefined {
  const ordered = objects.toSorted(byAge);
  const isMeant = (host: string): boolean => host === name || host.startsWith(`${name}.`);
  const entry = ordered.find((object) => object.kind === "ServiceEntry" && object.spec.hosts.some(isMeant));
  if (entry?.kind !== "ServiceEntry") return undefined;
  const host = entry.spec.hosts.find(isMeant) ?? name;
  const rules = ordered.flatMap((object): readonly (Place & { readonly says: string })[] => {
    const hasHost = (own: string): boolean => fullName(own, object.namespace) === host;
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
    endpoints: entry.spec.endpoints?.length ?? 0,
    rules,
  };
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
