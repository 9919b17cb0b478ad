/**
 * A name table as the control plane sends it: `istio.networking.nds.v1.NameTable`, read by its field numbers (Istio's
 * `pkg/dns/proto/nds.proto`).
 */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** What the mesh says of one host. */
export interface NameInfo {
  readonly host: string;
  readonly ips: readonly string[];
  /** `Kubernetes` or `External`. */
  readonly registry: string;
  readonly shortname: string;
  readonly namespace: string;
  readonly altHosts: readonly string[];
}

/** One after the other, so that a large table is never there twice. @throws the error of what is no such message */
export function* readNameInfos(bytes: Uint8Array): Generator<NameInfo, void, undefined> {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1 && wireType === WireType.LengthDelimited) yield readEntry(reader.bytes());
    else reader.skip(wireType, field);
  }
}

function readEntry(bytes: Uint8Array): NameInfo {
  const texts = fieldsOf(bytes);
  const info = fieldsOf(texts.get(2)?.at(-1) ?? new Uint8Array());
  const last = (field: number): string => textOf(info.get(field)?.at(-1));
  return {
    host: textOf(texts.get(1)?.at(-1)),
    ips: (info.get(1) ?? []).map(textOf),
    registry: last(2),
    shortname: last(3),
    namespace: last(4),
    altHosts: (info.get(5) ?? []).map(textOf),
  };
}

function fieldsOf(bytes: Uint8Array): ReadonlyMap<number, readonly Uint8Array[]> {
  const fields = new Map<number, Uint8Array[]>();
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (wireType !== WireType.LengthDelimited) {
      reader.skip(wireType, field);
      continue;
    }
    const values = fields.get(field);
    if (values === undefined) fields.set(field, [reader.bytes()]);
    else values.push(reader.bytes());
  }
  return fields;
}

function textOf(bytes: Uint8Array | undefined): string {
  return bytes === undefined
    ? ""
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
}
