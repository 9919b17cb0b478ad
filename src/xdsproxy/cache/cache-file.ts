/**
 * The file of one cached type: a line of JSON that describes it, then its resources.
 *
 * The resources are written as the field of a DeltaDiscoveryResponse that they are, each as it came.
 */
import { createHash, type Hash } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import type { TypeResources } from "./cached-type.ts";
import { readResource, type WireResource } from "../../xds/wire-resource.ts";

/** Changes with the layout: a file of another one is of no use. */
const format = "outrider-xds-cache-1";

/** DeltaDiscoveryResponse.resources, a field with a length. */
const resourceTag = 0x12;

interface Header {
  readonly format: string;
  /** Whose state it is; another agent's is of no use. */
  readonly owner: string;
  readonly typeUrl: string;
  readonly version: string;
  readonly bytes: number;
  /** Of what stands above and of the resources. */
  readonly sha256: string;
}

/** What became of reading a file. */
export type CacheFile =
  | { readonly kind: "read"; readonly typeUrl: string; readonly state: TypeResources }
  /** Whole, but written for another node or control plane, or by another release. */
  | { readonly kind: "foreign" }
  | { readonly kind: "corrupted"; readonly reason: string };

/** Bytes after which others get a turn: hashing a large configuration takes a tenth of a second. */
const turnBytes = 4_194_304;

/** The parts of the file, to be written one after the other. */
export async function encodeCacheFile(
  owner: string,
  typeUrl: string,
  state: TypeResources,
): Promise<readonly Uint8Array[]> {
  const hash = hashOf({ owner, typeUrl, version: state.version });
  const body: Uint8Array[] = [];
  let bytes = 0;
  let untilTurn = turnBytes;
  for (const { bytes: resource } of state.resources.values()) {
    const start = Uint8Array.from([resourceTag, ...varint(resource.length)]);
    hash.update(start);
    for (let at = 0; at < resource.length; at += turnBytes) {
      const piece = resource.subarray(at, at + turnBytes);
      hash.update(piece);
      untilTurn -= piece.length;
      if (untilTurn > 0) continue;
      untilTurn = turnBytes;
      await nextTurn();
    }
    body.push(start, resource);
    bytes += start.length + resource.length;
  }
  const header: Header = {
    format,
    owner,
    typeUrl,
    version: state.version,
    bytes,
    sha256: hash.digest("hex"),
  };
  return [Buffer.from(`${JSON.stringify(header)}\n`), ...body];
}

/** Read a whole file. The resources are views into `content`. */
export function decodeCacheFile(content: Buffer, owner: string): CacheFile {
  const end = content.indexOf("\n");
  const header = end < 0 ? undefined : parseHeader(content.subarray(0, end).toString("utf8"));
  if (header === undefined) return { kind: "corrupted", reason: "it does not begin with its description" };
  if (header.format !== format || header.owner !== owner) return { kind: "foreign" };
  const body = content.subarray(end + 1);
  if (body.length !== header.bytes)
    return { kind: "corrupted", reason: `it has ${body.length} bytes of ${header.bytes}` };
  if (hashOf(header).update(body).digest("hex") !== header.sha256)
    return { kind: "corrupted", reason: "its checksum is wrong" };
  try {
    return {
      kind: "read",
      typeUrl: header.typeUrl,
      state: { version: header.version, resources: readResources(body) },
    };
  } catch (error) {
    return { kind: "corrupted", reason: error instanceof Error ? error.message : String(error) };
  }
}

function hashOf({ owner, typeUrl, version }: Pick<Header, "owner" | "typeUrl" | "version">): Hash {
  return createHash("sha256").update(JSON.stringify([format, owner, typeUrl, version]));
}

function readResources(body: Buffer): ReadonlyMap<string, WireResource> {
  const resources = new Map<string, WireResource>();
  const reader = new BinaryReader(body);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (wireType !== WireType.LengthDelimited) {
      reader.skip(wireType, field);
      continue;
    }
    const resource = readResource(reader.bytes());
    resources.set(resource.name, resource);
  }
  return resources;
}

function parseHeader(text: string): Header | undefined {
  try {
    const header = JSON.parse(text) as Partial<Header> | null;
    return typeof header?.format === "string" ? (header as Header) : undefined;
  } catch {
    return undefined;
  }
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return bytes;
}
