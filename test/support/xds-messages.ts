/** Discovery messages as bytes. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "../../src/proto/agent/discovery_pb.js";

/** A resource of a response. */
export interface TestResource {
  readonly name: string;
  readonly version?: string;
  readonly bytes?: Uint8Array;
}

/** The part of a message that both variants have. */
export interface Message {
  readonly typeUrl: string;
  readonly nonce?: string;
  /** Of a request: refuse the response with that nonce. */
  readonly error?: string;
  /** Of a request: what is subscribed to. */
  readonly names?: readonly string[];
  /** Of a delta request: what is no longer subscribed to. */
  readonly unsubscribed?: readonly string[];
  /** Of a request: versions that Envoy has from an earlier stream. */
  readonly known?: Readonly<Record<string, string>>;
  /** Of a response: bytes of its one resource, named `a`. */
  readonly bytes?: Uint8Array;
  /** Of a response: instead of `bytes`. */
  readonly resources?: readonly TestResource[];
  /** Of a delta response. */
  readonly removed?: readonly string[];
}

/** A response as Envoy would read it. */
export interface ReadMessage {
  readonly typeUrl: string;
  readonly nonce: string;
  /** Value of each resource by name. */
  readonly resources: Readonly<Record<string, string>>;
  readonly removed: readonly string[];
  /** Version of each resource by name; in state of the world that of the response. */
  readonly versions: Readonly<Record<string, string>>;
}

export interface Encoding {
  readonly method: "StreamAggregatedResources" | "DeltaAggregatedResources";
  readonly request: (message: Message) => Buffer;
  readonly response: (message: Message) => Buffer;
  readonly read: (response: Buffer) => ReadMessage;
  /** A response with one resource of exactly these bytes. */
  readonly raw: (typeUrl: string, nonce: string, value: Uint8Array) => Buffer;
  readonly readRequest: (request: Buffer) => { readonly typeUrl: string; readonly errorDetail?: unknown };
  /** A request that holds nothing but its type. */
  readonly bareRequest: (typeUrl: string) => Buffer;
  /** What an agent answers that has taken a response: the type, the nonce and, in state of the world, the version. */
  readonly acknowledgement: (typeUrl: string, nonce: string) => Buffer;
}

const node = { id: "sidecar~10.0.0.1~web.demo~demo.svc.cluster.local" };
/** A field that the agent's small messages do not know. */
const unknownField = Buffer.from("fa3f0568656c6c6f", "hex");

const errorOf = ({ error }: Message): { errorDetail?: { code: number; message: string } } =>
  error === undefined ? {} : { errorDetail: { code: 13, message: error } };

const resourcesOf = ({ resources, bytes }: Message): readonly TestResource[] =>
  resources ?? [{ name: "a", bytes: bytes ?? Buffer.from("resource") }];

/** What is in an Any: its name as field 1, as in Envoy's own types, and its bytes as field 2. */
export function valueOf({ name, bytes = Buffer.alloc(0) }: TestResource): Buffer {
  const length = (value: number): Buffer =>
    value < 128
      ? Buffer.from([value])
      : Buffer.concat([Buffer.from([(value & 127) | 128]), length(value >>> 7)]);
  return Buffer.concat([
    Buffer.from([0x0a]),
    length(Buffer.byteLength(name)),
    Buffer.from(name),
    Buffer.from([0x12]),
    length(bytes.length),
    bytes,
  ]);
}

/** The bytes of a resource made by `valueOf`, as text. */
function readValue(value: Uint8Array): { name: string; text: string } {
  let nameLength = 0;
  let start = 1;
  for (let shift = 0, byte = 128; byte > 127; shift += 7, start += 1) {
    byte = value[start] ?? 0;
    nameLength |= (byte & 127) << shift;
  }
  const name = Buffer.from(value.subarray(start, start + nameLength)).toString("utf8");
  let at = start + nameLength + 1;
  while ((value[at] ?? 0) > 127) at += 1;
  return { name, text: Buffer.from(value.subarray(at + 1)).toString("utf8") };
}

export const sotw: Encoding = {
  method: "StreamAggregatedResources",
  raw: (typeUrl, nonce, value) => {
    const resources = [{ typeUrl, value }];
    const response = create(DiscoveryResponseSchema, { typeUrl, nonce, versionInfo: "1", resources });
    return Buffer.from(toBinary(DiscoveryResponseSchema, response));
  },
  readRequest: (bytes) => fromBinary(DiscoveryRequestSchema, bytes),
  bareRequest: (typeUrl) =>
    Buffer.from(toBinary(DiscoveryRequestSchema, create(DiscoveryRequestSchema, { typeUrl }))),
  acknowledgement: (typeUrl, responseNonce) => {
    const request = create(DiscoveryRequestSchema, { typeUrl, responseNonce, versionInfo: "1" });
    return Buffer.from(toBinary(DiscoveryRequestSchema, request));
  },
  request: (message) => {
    const { typeUrl, nonce = "", names = [], known } = message;
    const request = create(DiscoveryRequestSchema, {
      node,
      typeUrl,
      responseNonce: nonce,
      resourceNames: [...names],
      versionInfo: Object.values(known ?? {})[0] ?? "",
      ...errorOf(message),
    });
    return Buffer.concat([toBinary(DiscoveryRequestSchema, request), unknownField]);
  },
  response: (message) => {
    const { typeUrl, nonce = "" } = message;
    const response = create(DiscoveryResponseSchema, {
      typeUrl,
      nonce,
      versionInfo: "1",
      resources: resourcesOf(message).map((resource) => ({ typeUrl, value: valueOf(resource) })),
    });
    return Buffer.concat([toBinary(DiscoveryResponseSchema, response), unknownField]);
  },
  read: (bytes) => {
    const { typeUrl, nonce, resources, versionInfo } = fromBinary(DiscoveryResponseSchema, bytes);
    const values = resources.map(({ value }) => readValue(value));
    return {
      typeUrl,
      nonce,
      resources: Object.fromEntries(values.map(({ name, text }) => [name, text])),
      versions: Object.fromEntries(values.map(({ name }) => [name, versionInfo])),
      removed: [],
    };
  },
};

export const delta: Encoding = {
  method: "DeltaAggregatedResources",
  raw: (typeUrl, nonce, value) => {
    const resources = [{ name: "a", version: "1", resource: { typeUrl, value } }];
    const response = create(DeltaDiscoveryResponseSchema, { typeUrl, nonce, resources });
    return Buffer.from(toBinary(DeltaDiscoveryResponseSchema, response));
  },
  readRequest: (bytes) => fromBinary(DeltaDiscoveryRequestSchema, bytes),
  bareRequest: (typeUrl) =>
    Buffer.from(toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, { typeUrl }))),
  acknowledgement: (typeUrl, responseNonce) => {
    const request = create(DeltaDiscoveryRequestSchema, { typeUrl, responseNonce });
    return Buffer.from(toBinary(DeltaDiscoveryRequestSchema, request));
  },
  request: (message) => {
    const { typeUrl, nonce = "", names = [], unsubscribed = [], known = {} } = message;
    const request = create(DeltaDiscoveryRequestSchema, {
      node,
      typeUrl,
      responseNonce: nonce,
      resourceNamesSubscribe: [...names],
      resourceNamesUnsubscribe: [...unsubscribed],
      initialResourceVersions: { ...known },
      ...errorOf(message),
    });
    return Buffer.concat([toBinary(DeltaDiscoveryRequestSchema, request), unknownField]);
  },
  response: (message) => {
    const { typeUrl, nonce = "", removed = [] } = message;
    const response = create(DeltaDiscoveryResponseSchema, {
      typeUrl,
      nonce,
      resources: resourcesOf(message).map((resource) => ({
        name: resource.name,
        version: resource.version ?? "1",
        resource: { typeUrl, value: valueOf(resource) },
      })),
      removedResources: [...removed],
    });
    return Buffer.concat([toBinary(DeltaDiscoveryResponseSchema, response), unknownField]);
  },
  read: (bytes) => {
    const { typeUrl, nonce, resources, removedResources } = fromBinary(DeltaDiscoveryResponseSchema, bytes);
    return {
      typeUrl,
      nonce,
      resources: Object.fromEntries(
        resources.map(({ name, resource }) => [name, readValue(resource?.value ?? new Uint8Array()).text]),
      ),
      versions: Object.fromEntries(resources.map(({ name, version }) => [name, version])),
      removed: removedResources,
    };
  },
};
