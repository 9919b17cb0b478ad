/**
 * What may be inside `google.protobuf.Any`: the messages that translation makes, and whatever else Envoy's API has, as
 * rules of users may have it.
 */
import { gunzipSync } from "node:zlib";
import {
  createFileRegistry,
  createRegistry,
  type DescMessage,
  type FileRegistry,
  fromBinary,
  type Registry,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { descriptors } from "../../proto/envoy/descriptors.js";

let all: FileRegistry | undefined;

/** All of Envoy's API, 28 MB of memory: it is read when it is first asked for. */
function allMessages(): Registry {
  all ??= createFileRegistry(
    fromBinary(FileDescriptorSetSchema, gunzipSync(Buffer.from(descriptors, "base64"))),
  );
  return all;
}

/** Packages of the version of its API that Envoy takes no longer. */
const outdated = /^envoy\..*\.v2(?:alpha\d*)?\./;

/** A message of it by its full name. */
export function envoyMessage(typeName: string): DescMessage | undefined {
  return outdated.test(typeName) ? undefined : allMessages().getMessage(typeName);
}

/** Types of `known` first. */
export function withAllMessages(...known: readonly DescMessage[]): Registry {
  const own = createRegistry(...known);
  return Object.assign(Object.create(own) as Registry, {
    getMessage: (typeName: string) => own.getMessage(typeName) ?? envoyMessage(typeName),
  });
}
