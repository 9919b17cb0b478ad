/**
 * The name table of one proxy (NDS): what its DNS proxy answers itself.
 */
import { isIP } from "node:net";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Service } from "../model/model.ts";
import type { ProxyView } from "./view.ts";

/** `istio.networking.nds.v1.NameTable` in protobuf's JSON form. */
export interface NameTableJson {
  readonly table: Readonly<Record<string, NameInfoJson>>;
}

/** What the table says of a host. */
export interface NameInfoJson {
  readonly ips: readonly string[];
  readonly registry: "Kubernetes" | "External";
  readonly shortname?: string;
  readonly namespace?: string;
}

/** How many names an alias may lead over: more is a circle. */
const maxAliases = 8;

/** One table with every host that the proxy sees and that has an address; none for a proxy without DNS. */
export function generateNameTables({ proxy, services }: ProxyView): readonly NameTableJson[] {
  if (!proxy.answersDns) return [];
  const byHost = new Map<string, Service>();
  for (const service of services) if (!byHost.has(service.host)) byHost.set(service.host, service);
  const table = new Map<string, NameInfoJson>();
  for (const [host, service] of byHost) {
    const ips = addressesOf(service, byHost, maxAliases);
    if (ips.length === 0) continue;
    table.set(host, { ips, ...registryOf(service) });
    for (const [pod, address] of podsOf(service))
      if (!byHost.has(pod)) table.set(pod, { ips: [address], registry: "Kubernetes" });
  }
  return [{ table: Object.fromEntries(table) }];
}

/** A service's own addresses; without any those of its endpoints, or of the services that they name. */
function addressesOf(
  { addresses, endpoints }: Service,
  byHost: ReadonlyMap<string, Service>,
  aliases: number,
): readonly string[] {
  if (addresses.length > 0) return addresses;
  const healthy = endpoints.filter(({ isHealthy }) => isHealthy);
  const found = healthy.flatMap(({ address }) => {
    if (isIP(address) !== 0) return [address];
    const meant = byHost.get(address);
    return meant === undefined || aliases === 0 ? [] : addressesOf(meant, byHost, aliases - 1);
  });
  return [...new Set(found)];
}

/** Names of the workloads behind a service of Kubernetes without an address of its own. */
function podsOf(service: Service): readonly (readonly [host: string, address: string])[] {
  if (service.addresses.length > 0 || registryOf(service).registry !== "Kubernetes") return [];
  return service.endpoints.flatMap(({ name, address, isHealthy }) =>
    name === undefined || !isHealthy || isIP(address) === 0
      ? []
      : [[`${name}.${service.host}`, address] as const],
  );
}

/** A host such as `web.demo.svc.cluster.local` in the namespace demo has short names. */
function registryOf({ host, namespace }: Service): Omit<NameInfoJson, "ips"> {
  const [shortname = "", ownNamespace, svc] = host.split(".");
  if (ownNamespace !== namespace || svc !== "svc" || shortname === "*") return { registry: "External" };
  return { registry: "Kubernetes", shortname, namespace };
}

/** As bytes, by the field numbers of Istio's `pkg/dns/proto/nds.proto`. */
export function encodeNameTable(json: object): Uint8Array {
  const writer = new BinaryWriter();
  for (const [host, info] of Object.entries((json as NameTableJson).table)) {
    writer.tag(1, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).string(host);
    writer.tag(2, WireType.LengthDelimited).fork();
    for (const ip of info.ips) writer.tag(1, WireType.LengthDelimited).string(ip);
    writer.tag(2, WireType.LengthDelimited).string(info.registry);
    if (info.shortname !== undefined) writer.tag(3, WireType.LengthDelimited).string(info.shortname);
    if (info.namespace !== undefined) writer.tag(4, WireType.LengthDelimited).string(info.namespace);
    writer.join().join();
  }
  return writer.finish();
}
