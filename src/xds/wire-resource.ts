/**
 * A resource as it came, with its name: the form that both variants of the protocol can be made from.
 */
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/** The bytes of one `envoy.service.discovery.v3.Resource`, and what is read of it. */
export interface WireResource {
  readonly name: string;
  readonly version: string;
  /** The whole Resource message, fields unknown to the agent included. */
  readonly bytes: Uint8Array;
}

/** Fields of Resource, from Envoy's discovery.proto. */
const fields = { version: 1, resource: 2, name: 3 } as const;

/** @throws Error when the bytes are no Resource */
export function readResource(bytes: Uint8Array): WireResource {
  let name = "";
  let version = "";
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (wireType !== WireType.LengthDelimited) reader.skip(wireType, field);
    else if (field === fields.name) name = reader.string();
    else if (field === fields.version) version = reader.string();
    else reader.skip(wireType, field);
  }
  return { name, version, bytes };
}

/**
 * The name of what is in an Any: its first field, as in every type that Envoy asks for by ADS.
 *
 * @throws Error when the bytes are no Any
 */
export function nameInAny(any: Uint8Array): string {
  const value = fieldOf(any, 2);
  try {
    const name = value === undefined ? undefined : fieldOf(value, 1);
    return name === undefined ? "" : Buffer.from(name).toString("utf8");
  } catch {
    // What is in it is none of the agent's business.
    return "";
  }
}

/** The Resource that holds an Any. @throws Error when the bytes are no Any */
export function resourceOfAny(any: Uint8Array, version: string): WireResource {
  const name = nameInAny(any);
  const writer = new BinaryWriter();
  writer.tag(fields.version, WireType.LengthDelimited).string(version);
  writer.tag(fields.resource, WireType.LengthDelimited).bytes(any);
  writer.tag(fields.name, WireType.LengthDelimited).string(name);
  return { name, version, bytes: writer.finish() };
}

/** The Any of a Resource. @throws Error when the bytes are no Resource */
export function anyOf(resource: Uint8Array): Uint8Array {
  return fieldOf(resource, fields.resource) ?? new Uint8Array();
}

/** The first field with this number that has a length. */
export function fieldOf(message: Uint8Array, number: number): Uint8Array | undefined {
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === number && wireType === WireType.LengthDelimited) return reader.bytes();
    reader.skip(wireType, field);
  }
  return undefined;
}
