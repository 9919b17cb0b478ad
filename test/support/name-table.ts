/** Name tables as a control plane encodes them. */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/** An entry of such a table. */
export interface TableEntry {
  readonly ips: readonly string[];
  readonly registry?: string;
  readonly shortname?: string;
  readonly namespace?: string;
  readonly altHosts?: readonly string[];
}

/** Entries by host as `istio.networking.nds.v1.NameTable`. */
export function nameTableBytes(entries: Readonly<Record<string, TableEntry>>): Uint8Array {
  const table = new BinaryWriter();
  for (const [host, entry] of Object.entries(entries)) {
    table.tag(1, WireType.LengthDelimited).fork();
    table.tag(1, WireType.LengthDelimited).string(host);
    table.tag(2, WireType.LengthDelimited).fork();
    for (const ip of entry.ips) table.tag(1, WireType.LengthDelimited).string(ip);
    table.tag(2, WireType.LengthDelimited).string(entry.registry ?? "External");
    table.tag(3, WireType.LengthDelimited).string(entry.shortname ?? "");
    table.tag(4, WireType.LengthDelimited).string(entry.namespace ?? "");
    for (const alt of entry.altHosts ?? []) table.tag(5, WireType.LengthDelimited).string(alt);
    table.join().join();
  }
  return table.finish();
}

/** A service of Kubernetes. */
export function kubernetes(shortname: string, namespace: string, ...ips: readonly string[]): TableEntry {
  return { ips, registry: "Kubernetes", shortname, namespace };
}
