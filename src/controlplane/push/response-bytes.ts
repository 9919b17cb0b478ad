/**
 * Responses of discovery put together from the bytes of resources that streams share: those are copied once. The library would
 * copy them for each message that they lie in, and each time its buffer grows, which is most of what a push costs.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import {
  DeltaDiscoveryResponseSchema,
  DiscoveryResponseSchema,
} from "../../proto/envoy/envoy/service/discovery/v3/discovery_pb.js";
import type { VersionedResource } from "../../xds/delta-subscription.ts";

/** What a response has beside its resources. */
export interface ResponseHead {
  readonly typeUrl: string;
  readonly version: string;
  readonly nonce: string;
  /** Who answers. */
  readonly identifier: string;
}

/** Field numbers of Envoy's discovery.proto and of google.protobuf.Any. */
const fields = {
  response: { resources: 2 },
  resource: { version: 1, resource: 2, name: 3 },
  any: { typeUrl: 1, value: 2 },
} as const;

/** A DeltaDiscoveryResponse. @param removed names of what the client is to have no longer */
export function deltaResponse(
  { typeUrl, version, nonce, identifier }: ResponseHead,
  resources: readonly VersionedResource[],
  removed: readonly string[],
): Uint8Array {
  const head = create(DeltaDiscoveryResponseSchema, {
    systemVersionInfo: version,
    typeUrl,
    nonce,
    controlPlane: { identifier },
    removedResources: [...removed],
  });
  // Fields of a message may stand behind each other in any order.
  const parts: Uint8Array[] = [toBinary(DeltaDiscoveryResponseSchema, head)];
  for (const { name, version: own, bytes } of resources) {
    const any = beforeValue(typeUrl, bytes.length);
    const resource = new BinaryWriter();
    resource.tag(fields.resource.version, WireType.LengthDelimited).string(own);
    resource.tag(fields.resource.name, WireType.LengthDelimited).string(name);
    const inside = beforeField(resource, fields.resource.resource, any.length + bytes.length);
    const length = inside.length + any.length + bytes.length;
    parts.push(beforeField(new BinaryWriter(), fields.response.resources, length), inside, any, bytes);
  }
  return Buffer.concat(parts);
}

/** A DiscoveryResponse. */
export function sotwResponse(
  { typeUrl, version, nonce, identifier }: ResponseHead,
  resources: readonly VersionedResource[],
): Uint8Array {
  const head = create(DiscoveryResponseSchema, {
    versionInfo: version,
    typeUrl,
    nonce,
    controlPlane: { identifier },
  });
  const parts: Uint8Array[] = [toBinary(DiscoveryResponseSchema, head)];
  for (const { bytes } of resources) {
    const any = beforeValue(typeUrl, bytes.length);
    const length = any.length + bytes.length;
    parts.push(beforeField(new BinaryWriter(), fields.response.resources, length), any, bytes);
  }
  return Buffer.concat(parts);
}

/** An Any up to its value of so many bytes. */
function beforeValue(typeUrl: string, length: number): Uint8Array {
  const any = new BinaryWriter().tag(fields.any.typeUrl, WireType.LengthDelimited).string(typeUrl);
  return beforeField(any, fields.any.value, length);
}

/** What has been written, up to the content of a field of so many bytes. */
function beforeField(writer: BinaryWriter, field: number, length: number): Uint8Array {
  return writer.tag(field, WireType.LengthDelimited).uint32(length).finish();
}
