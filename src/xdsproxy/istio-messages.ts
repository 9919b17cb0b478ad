/**
 * The two messages of Istio's own types that the agent reads: field numbers from istio/api's `nds.proto` and
 * `mesh/v1alpha1/proxy.proto`.
 */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** Hosts of the mesh by name (`istio.networking.nds.v1.NameTable`). */
export type NameTable = ReadonlyMap<string, NameInfo>;

/** One host. */
export interface NameInfo {
  readonly ips: readonly string[];
  /** `Kubernetes` or `External`. */
  readonly registry: string;
  /** Set for Kubernetes services only, as is `namespace`. */
  readonly shortname: string;
  readonly namespace: string;
  readonly altHosts: readonly string[];
}

/** Roots that the mesh trusts beside the CA's own, PEM. */
export interface TrustBundle {
  readonly rootsPem: readonly string[];
}

/** Undefined gives an empty table. @throws Error when the bytes are no NameTable */
export function decodeNameTable(bytes: Uint8Array | undefined): NameTable {
  const table = new Map<string, NameInfo>();
  forEachField(bytes, (field, entry) => {
    if (field !== 1) return;
    let name = "";
    let info: NameInfo = decodeNameInfo(undefined);
    forEachField(entry, (number, value) => {
      if (number === 1) name = text(value);
      else if (number === 2) info = decodeNameInfo(value);
    });
    table.set(name, info);
  });
  return table;
}

/** Undefined gives an empty bundle. @throws Error when the bytes are no ProxyConfig */
export function decodeTrustBundle(bytes: Uint8Array | undefined): TrustBundle {
  const rootsPem: string[] = [];
  forEachField(bytes, (field, value) => {
    if (field === 34) rootsPem.push(text(value));
  });
  return { rootsPem };
}

function decodeNameInfo(bytes: Uint8Array | undefined): NameInfo {
  const ips: string[] = [];
  const altHosts: string[] = [];
  const texts = { registry: "", shortname: "", namespace: "" };
  forEachField(bytes, (field, value) => {
    if (field === 1) ips.push(text(value));
    else if (field === 2) texts.registry = text(value);
    else if (field === 3) texts.shortname = text(value);
    else if (field === 4) texts.namespace = text(value);
    else if (field === 5) altHosts.push(text(value));
  });
  return { ips, altHosts, ...texts };
}

function forEachField(
  bytes: Uint8Array | undefined,
  visit: (field: number, value: Uint8Array) => void,
): void {
  if (bytes === undefined) return;
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (wireType === WireType.LengthDelimited) visit(field, reader.bytes());
    else reader.skip(wireType, field);
  }
}

function text(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}
