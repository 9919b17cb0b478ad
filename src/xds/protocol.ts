/**
 * The two variants of ADS, as far as the proxy looks into a message: what type it is of, what it answers, and
 * where its resources are.
 *
 * Only these fields are read; the rest of a message is skipped, not decoded, and what is forwarded are the bytes
 * that came.
 */
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { replaceField } from "./wire-edit.ts";
import {
  anyOf,
  fieldOf,
  nameInAny,
  readResource,
  resourceOfAny,
  type WireResource,
} from "./wire-resource.ts";

/** What the proxy reads of a request. */
export interface RequestFacts {
  readonly typeUrl: string;
  /** Of the response that it answers; empty when it answers none. */
  readonly nonce: string;
  /** Envoy's words, when it refuses a response. */
  readonly error: string | undefined;
  /** Names that it subscribes to: in state of the world all of them, in delta the new ones. */
  readonly names: readonly string[];
  /** Names that it gives up; only delta says so. */
  readonly unsubscribed: readonly string[];
  /** Version by name of what Envoy has from an earlier stream; only delta says so. */
  readonly known: Readonly<Record<string, string>>;
  /** Version that Envoy has; only state of the world says so. */
  readonly version: string;
}

/** What the proxy reads of a response. */
export interface ResponseFacts {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly version: string;
  /** Views into the message, one for each resource: a Resource in delta, an Any in state of the world. */
  readonly resources: readonly Uint8Array[];
  /** Names of what is gone; only delta says so. */
  readonly removed: readonly string[];
}

/** A response that the agent makes itself. */
export interface LocalResponse {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly version: string;
  readonly resources: readonly WireResource[];
  /** Left out in state of the world. */
  readonly removed: readonly string[];
}

/** A request that the agent makes itself. */
export interface LocalRequest {
  readonly typeUrl: string;
  readonly nonce?: string;
  /** Of the response that is acknowledged; left out in delta. */
  readonly version?: string;
  /** Refuses the response, with gRPC's code INTERNAL. */
  readonly error?: string;
  /** What is subscribed to, if that is not everything. */
  readonly names?: readonly string[];
}

/** One variant of the protocol. */
export interface AdsProtocol {
  readonly isDelta: boolean;
  /** Method of AggregatedDiscoveryService. */
  readonly method: "DeltaAggregatedResources" | "StreamAggregatedResources";
  /** Numbers of a request's fields. */
  readonly requestFields: RequestFields;
  /** @throws Error when the bytes are no message */
  readonly readRequest: (message: Uint8Array) => RequestFacts;
  /** @throws Error when the bytes are no message */
  readonly readResponse: (message: Uint8Array) => ResponseFacts;
  /** A response's resource with its name. @throws Error when the bytes are none */
  readonly readResource: (view: Uint8Array, version: string) => WireResource;
  /** The name of a response's resource. @throws Error when the bytes are none */
  readonly nameOf: (view: Uint8Array) => string;
  /** What the Any of a response's resource holds. @throws Error when the bytes are none */
  readonly valueOf: (view: Uint8Array) => Uint8Array;
  /** A response's resource with another value in its Any. @throws Error when the bytes are none */
  readonly withValue: (view: Uint8Array, value: Uint8Array) => Uint8Array;
  readonly writeResponse: (response: LocalResponse) => Buffer;
  readonly writeRequest: (request: LocalRequest) => Buffer;
}

/** Numbers of a request's fields, from Envoy's discovery.proto. */
export interface RequestFields {
  readonly typeUrl: number;
  readonly nonce: number;
  readonly error: number;
  readonly names: number;
  readonly unsubscribed?: number;
  readonly known?: number;
  readonly version?: number;
}

/** Numbers of a response's fields: the same in both variants. */
const response = { version: 1, resources: 2, typeUrl: 4, nonce: 5, removed: 6 } as const;

/** Number of the field with a response's resources. */
export const resourcesField = response.resources;

/** Field `value` of an Any, and field `resource` of a delta response's Resource. */
const fields = { value: 2, resource: 2 } as const;

const internal = 13;

const deltaFields: RequestFields = {
  ...{ typeUrl: 2, names: 3, unsubscribed: 4, known: 5, nonce: 6, error: 7 },
};
const wholeFields: RequestFields = { version: 1, names: 3, typeUrl: 4, nonce: 5, error: 6 };

/** Incremental xDS, Istio's default. */
export const delta: AdsProtocol = {
  isDelta: true,
  method: "DeltaAggregatedResources",
  requestFields: deltaFields,
  readRequest: (message) => readRequest(message, deltaFields),
  readResponse: (message) => readResponse(message, true),
  readResource: (view) => readResource(view),
  nameOf: (view) => readResource(view).name,
  valueOf: (view) => valueInAny(anyOf(view)),
  withValue: (view, value) =>
    replaceField(view, fields.resource, replaceField(anyOf(view), fields.value, value)),
  writeResponse: ({ typeUrl, nonce, version, resources, removed }) => {
    const writer = new BinaryWriter();
    writer.tag(response.version, WireType.LengthDelimited).string(version);
    for (const { bytes } of resources) writer.tag(response.resources, WireType.LengthDelimited).bytes(bytes);
    writer.tag(response.typeUrl, WireType.LengthDelimited).string(typeUrl);
    writer.tag(response.nonce, WireType.LengthDelimited).string(nonce);
    for (const name of removed) writer.tag(response.removed, WireType.LengthDelimited).string(name);
    return finish(writer);
  },
  writeRequest: (request) => writeRequest(request, deltaFields),
};

/** State of the world. */
export const stateOfTheWorld: AdsProtocol = {
  isDelta: false,
  method: "StreamAggregatedResources",
  requestFields: wholeFields,
  readRequest: (message) => readRequest(message, wholeFields),
  readResponse: (message) => readResponse(message, false),
  readResource: (view, version) => resourceOfAny(view, version),
  nameOf: nameInAny,
  valueOf: valueInAny,
  withValue: (view, value) => replaceField(view, fields.value, value),
  writeResponse: ({ typeUrl, nonce, version, resources }) => {
    const writer = new BinaryWriter();
    writer.tag(response.version, WireType.LengthDelimited).string(version);
    for (const { bytes } of resources) {
      writer.tag(response.resources, WireType.LengthDelimited).bytes(anyOf(bytes));
    }
    writer.tag(response.typeUrl, WireType.LengthDelimited).string(typeUrl);
    writer.tag(response.nonce, WireType.LengthDelimited).string(nonce);
    return finish(writer);
  },
  writeRequest: (request) => writeRequest(request, wholeFields),
};

function readRequest(message: Uint8Array, fields: RequestFields): RequestFacts {
  let typeUrl = "";
  let nonce = "";
  let version = "";
  let error: string | undefined;
  const names: string[] = [];
  const unsubscribed: string[] = [];
  const known: Record<string, string> = {};
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (wireType !== WireType.LengthDelimited) reader.skip(wireType, field);
    else if (field === fields.typeUrl) typeUrl = reader.string();
    else if (field === fields.nonce) nonce = reader.string();
    else if (field === fields.error) error = statusMessage(reader.bytes());
    else if (field === fields.names) names.push(reader.string());
    else if (field === fields.unsubscribed) unsubscribed.push(reader.string());
    else if (field === fields.known) addEntry(known, reader.bytes());
    else if (field === fields.version) version = reader.string();
    else reader.skip(wireType, field);
  }
  return { typeUrl, nonce, error, names, unsubscribed, known, version };
}

function readResponse(message: Uint8Array, isDelta: boolean): ResponseFacts {
  let typeUrl = "";
  let nonce = "";
  let version = "";
  const resources: Uint8Array[] = [];
  const removed: string[] = [];
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (wireType !== WireType.LengthDelimited) reader.skip(wireType, field);
    else if (field === response.resources) resources.push(reader.bytes());
    else if (field === response.typeUrl) typeUrl = reader.string();
    else if (field === response.nonce) nonce = reader.string();
    else if (field === response.version) version = reader.string();
    else if (isDelta && field === response.removed) removed.push(reader.string());
    else reader.skip(wireType, field);
  }
  return { typeUrl, nonce, version, resources, removed };
}

function writeRequest(request: LocalRequest, fields: RequestFields): Buffer {
  const writer = new BinaryWriter();
  const text = (field: number | undefined, value: string | undefined): void => {
    if (field !== undefined && value !== undefined && value !== "")
      writer.tag(field, WireType.LengthDelimited).string(value);
  };
  text(fields.version, request.version);
  text(fields.typeUrl, request.typeUrl);
  text(fields.nonce, request.nonce);
  for (const name of request.names ?? []) text(fields.names, name);
  if (request.error !== undefined) {
    writer.tag(fields.error, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.Varint).int32(internal);
    writer.tag(2, WireType.LengthDelimited).string(request.error);
    writer.join();
  }
  return finish(writer);
}

function valueInAny(any: Uint8Array): Uint8Array {
  return fieldOf(any, fields.value) ?? new Uint8Array();
}

/** Field `message` of a google.rpc.Status. */
function statusMessage(status: Uint8Array): string {
  let message = "";
  const reader = new BinaryReader(status);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 2 && wireType === WireType.LengthDelimited) message = reader.string();
    else reader.skip(wireType, field);
  }
  return message;
}

/** An entry of a map of strings. */
function addEntry(entries: Record<string, string>, bytes: Uint8Array): void {
  let key = "";
  let value = "";
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1 && wireType === WireType.LengthDelimited) key = reader.string();
    else if (field === 2 && wireType === WireType.LengthDelimited) value = reader.string();
    else reader.skip(wireType, field);
  }
  entries[key] = value;
}

function finish(writer: BinaryWriter): Buffer {
  const bytes = writer.finish();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
