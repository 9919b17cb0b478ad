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

/** What a table is made of. */
interface Named extends Pick<ProxyView, "services"> {
  readonly proxy: Pick<ProxyView["proxy"], "answersDns">;
}

/** One table with every host that the proxy sees and that has an address; none for a proxy without DNS. */
export function generateNameTables({ proxy, services }: Named): readonly NameTableJson[] {
  if (!proxy.answersDns) return [];
  const byHost = new Map<string, Service>();
  for (const service of services) if (!byHost.has(service.host)) byHost.set(service.host, service);
  const table = new Map<string, NameInfoJson>();
  for (const [host, service] of byHost) {
    const ips = addressesOf(service, byHost);
    if (ips.length === 0) continue;
    table.set(host, { ips, ...registryOf(service) });
    for (const [pod, address] of podsOf(service))
      if (!byHost.has(pod)) table.set(pod, { ips: [address], registry: "Kubernetes" });
  }
  return [{ table: Object.fromEntries(table) }];
}

/**
 * A service's own addresses; without any those of its endpoints, and of the services that they name. Each service is
 * looked at once, however many name it and whatever circles they make.
 */
function addressesOf(service: Service, byHost: ReadonlyMap<string, Service>): readonly string[] {
  const found = new Set<string>();
  const seen = new Set<Service>([service]);
  // A set that grows while it is gone through is gone through to its end.
  for (const { addresses, endpoints } of seen) {
    for (const address of addresses) found.add(address);
    if (addresses.length > 0) continue;
    for (const { address, isHealthy } of endpoints) {
      if (!isHealthy) continue;
      const meant = isIP(address) === 0 ? byHost.get(address) : undefined;
      if (meant !== undefined) seen.add(meant);
      else if (isIP(address) !== 0) found.add(address);
    }
  }
  return [...found];
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
