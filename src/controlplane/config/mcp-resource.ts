/**
 * Objects as one control plane tells another of them: `istio.mcp.v1alpha1.Resource`, with the specification as Istio's message, or
 * as a Struct where it is the Gateway API's (Istio's MCP over xDS). Pure.
 *
 * In messages a field of its default is a field that is missing: Istio's objects mean the same by both.
 */
import { gunzipSync } from "node:zlib";
import {
  createFileRegistry,
  type DescField,
  type DescMessage,
  type FileRegistry,
  fromBinary,
  fromJson,
  type JsonValue,
  ScalarType,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema, StructSchema } from "@bufbuild/protobuf/wkt";
import { isMapping } from "../../document/mapping.ts";
import { textAt } from "../../lifecycle/json-path.ts";
import { descriptors } from "../../proto/istio/descriptors.js";
import { durationMs } from "./forms.ts";
import type { ConfigObject, Kinds } from "./objects.ts";
import { apiVersionsOf, kinds, writtenKind } from "./schema.ts";

/** The message that the `Any` of a response holds. */
export const mcpResourceType = "type.googleapis.com/istio.mcp.v1alpha1.Resource";

/** Packages of the messages, by the groups of the kinds. */
const packages: Readonly<Record<string, readonly string[]>> = {
  "networking.istio.io": ["istio.networking.v1alpha3", "istio.networking.v1beta1"],
  "security.istio.io": ["istio.security.v1beta1"],
  "telemetry.istio.io": ["istio.telemetry.v1alpha1"],
  "extensions.istio.io": ["istio.extensions.v1alpha1"],
};

/** What a message says by leaving out a field, and an object by the field alone. */
const saidByNothing: Readonly<Record<string, Readonly<Record<string, JsonValue>>>> = {
  "istio.networking.v1alpha3.OutboundTrafficPolicy": { mode: "REGISTRY_ONLY" },
  "istio.networking.v1alpha3.Percent": { value: 0 },
};

const dryRunAnnotation = "istio.io/dry-run";

let all: FileRegistry | undefined;

/** Istio's messages: read when they are first asked for. */
function messages(): FileRegistry {
  all ??= createFileRegistry(
    fromBinary(FileDescriptorSetSchema, gunzipSync(Buffer.from(descriptors, "base64"))),
  );
  return all;
}

function messageOf(name: string): DescMessage {
  const found = messages().getMessage(name);
  if (found === undefined) throw new Error(`there is no message ${name}`);
  return found;
}

/** Kinds that are told of. Not Secrets, whose keys go to gateways alone, nor what a cluster has of its own. */
export const mcpKinds: readonly (keyof Kinds)[] = (Object.keys(kinds) as (keyof Kinds)[]).filter(
  (kind) => kinds[kind].isBare !== true,
);

/** What they are asked for by, `group/version/Kind` as Istio has it, in every version, the newest first. */
export function mcpTypesOf(kind: keyof Kinds): readonly string[] {
  return apiVersionsOf(kind).map((apiVersion) => `${apiVersion}/${writtenKind(kind)}`);
}

/**
 * The object as it would be written.
 *
 * @param typeUrl that it was asked for by
 * @throws Error when the bytes are no such resource
 */
export function objectInMcp(typeUrl: string, bytes: Uint8Array): Readonly<Record<string, unknown>> {
  const resource = messageOf("istio.mcp.v1alpha1.Resource");
  const json = toJson(resource, fromBinary(resource, bytes), { registry: messages() });
  const name = textAt(json, "metadata", "name") ?? "";
  const [namespace = "", ...rest] = name.split("/");
  if (rest.length !== 1 || !isMapping(json)) throw new Error(`${JSON.stringify(name)} is no namespace/name`);
  const { labels, annotations, createTime } = mappingOf(json["metadata"]);
  const { "@type": type, ...spec } = mappingOf(json["body"]);
  const message = messageOf(String(type).replace(/^.*\//, ""));
  const at = typeUrl.lastIndexOf("/");
  return {
    apiVersion: typeUrl.slice(0, at),
    kind: typeUrl.slice(at + 1),
    metadata: {
      name: rest[0],
      ...(namespace === "" ? {} : { namespace }),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      // Go's zero stands for none.
      ...(typeof createTime === "string" && !createTime.startsWith("0001-")
        ? { creationTimestamp: createTime }
        : {}),
    },
    spec:
      message.typeName === StructSchema.typeName
        ? spec["value"]
        : mapped(message, spec as JsonValue, asWritten),
  };
}

/** @param version whatever changes with the object @throws Error for an object that has no message */
export function mcpResourceOf(object: ConfigObject, version: string): Uint8Array {
  const { kind, namespace, name, spec, createdAtMs, isDryRun } = object;
  const resource = messageOf("istio.mcp.v1alpha1.Resource");
  const json = {
    metadata: {
      name: `${namespace}/${name}`,
      version,
      ...(createdAtMs === undefined ? {} : { createTime: new Date(createdAtMs).toISOString() }),
      ...(isDryRun === true ? { annotations: { [dryRunAnnotation]: "true" } } : {}),
    },
    body: bodyOf(kind, JSON.parse(JSON.stringify(spec)) as JsonValue),
  };
  return toBinary(resource, fromJson(resource, json, { registry: messages(), ignoreUnknownFields: true }));
}

function bodyOf(kind: ConfigObject["kind"], spec: JsonValue): Record<string, JsonValue> {
  const group = kind === "MeshConfig" ? "" : kinds[kind].group;
  const [message] = (packages[group] ?? []).flatMap((name) => messages().getMessage(`${name}.${kind}`) ?? []);
  if (message === undefined) return { "@type": `type.googleapis.com/${StructSchema.typeName}`, value: spec };
  const written = mapped(message, spec, asMessage) as Record<string, JsonValue>;
  return { ...written, "@type": `type.googleapis.com/${message.typeName}` };
}

/** What becomes of a value that is no message of Istio's, and of what such a message leaves out. */
interface Change {
  readonly value: (field: DescField, value: JsonValue) => JsonValue;
  readonly missing: (message: DescMessage) => Readonly<Record<string, JsonValue>>;
}

function mapped(message: DescMessage, json: JsonValue, change: Change): JsonValue {
  if (!isMapping(json)) return json;
  const fields = new Map(message.fields.map((field) => [field.jsonName, field]));
  const values = Object.entries(json as Readonly<Record<string, JsonValue>>).map(([name, value]) => {
    const field = fields.get(name);
    return [name, field === undefined ? value : mappedField(field, value, change)] as const;
  });
  return { ...change.missing(message), ...Object.fromEntries(values) };
}

function mappedField(field: DescField, value: JsonValue, change: Change): JsonValue {
  const inner = field.message;
  const one = (each: JsonValue): JsonValue =>
    inner === undefined || inner.typeName.startsWith("google.protobuf.")
      ? change.value(field, each)
      : mapped(inner, each, change);
  if (field.fieldKind === "list" && Array.isArray(value)) return value.map(one);
  if (field.fieldKind === "map" && isMapping(value))
    return Object.fromEntries(
      Object.entries(value as Readonly<Record<string, JsonValue>>).map(([name, each]) => [name, one(each)]),
    );
  return one(value);
}

const wide: readonly (ScalarType | undefined)[] = [ScalarType.INT64, ScalarType.UINT64];

/** JSON of messages has numbers of 64 bits as text. */
const asWritten: Change = {
  value: ({ scalar, message }, value) => {
    const isWide = wide.includes(scalar) || message?.typeName.endsWith("Int64Value") === true;
    return isWide && typeof value === "string" ? Number(value) : value;
  },
  missing: ({ typeName }) => saidByNothing[typeName] ?? {},
};

/** JSON of messages has durations in seconds. */
const asMessage: Change = {
  value: ({ message }, value) => {
    const isDuration = message?.typeName === "google.protobuf.Duration" && typeof value === "string";
    const ms = isDuration ? durationMs(value) : undefined;
    return ms === undefined ? value : `${(ms / 1_000).toFixed(3)}s`;
  },
  missing: () => ({}),
};

function mappingOf(value: unknown): Readonly<Record<string, unknown>> {
  return isMapping(value) ? value : {};
}
