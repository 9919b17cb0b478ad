/** Discovery messages as bytes. */
import { create, toBinary } from "@bufbuild/protobuf";
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "../../src/proto/agent/discovery_pb.js";

/** The part of a message that both variants have. */
export interface Message {
  readonly typeUrl: string;
  readonly nonce?: string;
  /** Of a request: refuse the response with that nonce. */
  readonly error?: string;
  /** Of a response: bytes of its one resource. */
  readonly bytes?: Uint8Array;
}

export interface Encoding {
  readonly method: "StreamAggregatedResources" | "DeltaAggregatedResources";
  readonly request: (message: Message) => Buffer;
  readonly response: (message: Message) => Buffer;
}

const node = { id: "sidecar~10.0.0.1~web.demo~demo.svc.cluster.local" };
/** A field that the agent's small messages do not know. */
const unknownField = Buffer.from("fa3f0568656c6c6f", "hex");

const errorOf = ({ error }: Message): { errorDetail?: { code: number; message: string } } =>
  error === undefined ? {} : { errorDetail: { code: 13, message: error } };

export const sotw: Encoding = {
  method: "StreamAggregatedResources",
  request: (message) => {
    const { typeUrl, nonce = "" } = message;
    const request = create(DiscoveryRequestSchema, {
      node,
      typeUrl,
      responseNonce: nonce,
      ...errorOf(message),
    });
    return Buffer.concat([toBinary(DiscoveryRequestSchema, request), unknownField]);
  },
  response: ({ typeUrl, nonce = "", bytes = Buffer.from("resource") }) => {
    const response = create(DiscoveryResponseSchema, {
      typeUrl,
      nonce,
      resources: [{ typeUrl, value: bytes }],
    });
    return Buffer.concat([toBinary(DiscoveryResponseSchema, response), unknownField]);
  },
};

export const delta: Encoding = {
  method: "DeltaAggregatedResources",
  request: (message) => {
    const { typeUrl, nonce = "" } = message;
    const request = create(DeltaDiscoveryRequestSchema, {
      node,
      typeUrl,
      responseNonce: nonce,
      ...errorOf(message),
    });
    return Buffer.concat([toBinary(DeltaDiscoveryRequestSchema, request), unknownField]);
  },
  response: ({ typeUrl, nonce = "", bytes = Buffer.from("resource") }) => {
    const response = create(DeltaDiscoveryResponseSchema, {
      typeUrl,
      nonce,
      resources: [{ name: "a", version: "1", resource: { typeUrl, value: bytes } }],
    });
    return Buffer.concat([toBinary(DeltaDiscoveryResponseSchema, response), unknownField]);
  },
};
