/** What a client reads of a response: no more than it needs, so that it is never what takes the time. */
import { BinaryReader } from "@bufbuild/protobuf/wire";

export interface ReadResponse {
  readonly typeUrl: string;
  readonly nonce: string;
  /** Names of the resources in it. */
  readonly names: readonly string[];
  readonly bytes: number;
}

interface Fields {
  readonly resources: number;
  readonly typeUrl: number;
  readonly nonce: number;
  readonly nameOf: (resource: Uint8Array) => string;
}

/** Field numbers of Envoy's DeltaDiscoveryResponse and DiscoveryResponse. */
const fieldsOf: Readonly<Record<"delta" | "sotw", Fields>> = {
  delta: { resources: 2, typeUrl: 4, nonce: 5, nameOf: (resource) => fieldOf(resource, 3) },
  // The resource inside google.protobuf.Any begins with its name.
  sotw: { resources: 2, typeUrl: 4, nonce: 5, nameOf: (any) => fieldOf(bytesOf(any, 2), 1) },
};

function bytesOf(message: Uint8Array, wanted: number): Uint8Array {
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === wanted) return reader.bytes();
    reader.skip(wireType);
  }
  return new Uint8Array();
}

function fieldOf(message: Uint8Array, wanted: number): string {
  return Buffer.from(bytesOf(message, wanted)).toString();
}

/** @param readsNames false where nobody wants to know what is in it */
export function readResponse(
  protocol: "delta" | "sotw",
  message: Uint8Array,
  readsNames: (typeUrl: string) => boolean,
): ReadResponse {
  const { resources, typeUrl, nonce, nameOf } = fieldsOf[protocol];
  const reader = new BinaryReader(message);
  const texts = new Map<number, string>();
  const parts: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === resources) parts.push(reader.bytes());
    else if (field === typeUrl || field === nonce) texts.set(field, reader.string());
    else reader.skip(wireType);
  }
  const url = texts.get(typeUrl) ?? "";
  return {
    typeUrl: url,
    nonce: texts.get(nonce) ?? "",
    names: readsNames(url) ? parts.map(nameOf) : [],
    bytes: message.length,
  };
}
