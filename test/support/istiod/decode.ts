/** Resources of whichever control plane as plain JSON; of what only Istio's own build of Envoy knows there is the name. */
import { globSync } from "node:fs";
import { join } from "node:path";
import { create, createRegistry, type DescMessage, fromBinary, toBinary, toJson } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";

const folder = join(import.meta.dirname, "../../../src/proto/envoy");
const modules = await Promise.all(
  globSync("**/*_pb.js", { cwd: folder }).map((path) => import(join(folder, path)) as Promise<object>),
);
const messages = modules
  .flatMap((module) => Object.values(module) as { readonly kind?: string }[])
  .filter(({ kind }) => kind === "message") as DescMessage[];
const registry = createRegistry(...messages);
const byName = new Map(messages.map((schema) => [schema.typeName, schema]));

/** With field names of `.proto` files. */
export function decodeResource({ typeUrl, value }: Pick<Any, "typeUrl" | "value">): Record<string, unknown> {
  const schema = byName.get(typeNameOf(typeUrl));
  if (schema === undefined) return { unknown: typeUrl };
  const message = fromBinary(schema, value);
  nameUnknown(message);
  return toJson(schema, message, { registry, useProtoFieldName: true }) as Record<string, unknown>;
}

function typeNameOf(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf("/") + 1);
}

/** An Any inside whose type is not known becomes a message that has the type for its name. */
function nameUnknown(value: unknown): void {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return;
  if (!isAny(value)) {
    for (const child of Object.values(value)) nameUnknown(child);
    return;
  }
  if (value.typeUrl === "") return;
  const schema = byName.get(typeNameOf(value.typeUrl));
  if (schema === undefined) {
    value.value = toBinary(named, create(named, { name: value.typeUrl }));
    value.typeUrl = `type.googleapis.com/${named.typeName}`;
    return;
  }
  const inner = fromBinary(schema, value.value);
  nameUnknown(inner);
  value.value = toBinary(schema, inner);
}

function isAny(value: object): value is Any {
  return "$typeName" in value && value.$typeName === "google.protobuf.Any";
}

/** Any message with a name. */
const named = byName.get("envoy.config.cluster.v3.Cluster") as DescMessage;
