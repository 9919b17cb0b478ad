/**
 * The two variants of ADS, as far as the proxy looks into a message: what type it is of, and what it answers.
 *
 * Only these fields are read; the rest of a message is skipped, not decoded, and what is forwarded are the bytes
 * that came.
 */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** What the proxy reads of a message. */
export interface MessageFacts {
  readonly typeUrl: string;
  /** Of a response, or of the response that a request answers; empty when it answers none. */
  readonly nonce: string;
  /** Envoy's words, when a request refuses a response. */
  readonly error: string | undefined;
}

/** One variant of the protocol. */
export interface AdsProtocol {
  /** Method of AggregatedDiscoveryService. */
  readonly method: "DeltaAggregatedResources" | "StreamAggregatedResources";
  /** @throws Error when the bytes are no message */
  readonly readRequest: (message: Uint8Array) => MessageFacts;
  /** @throws Error when the bytes are no message */
  readonly readResponse: (message: Uint8Array) => MessageFacts;
}

/** Numbers of the fields, from Envoy's discovery.proto. */
interface FieldNumbers {
  readonly typeUrl: number;
  readonly nonce: number;
  readonly errorDetail?: number;
}

/** The same in both variants' responses. */
const response: FieldNumbers = { typeUrl: 4, nonce: 5 };

/** Incremental xDS, Istio's default. */
export const delta: AdsProtocol = {
  method: "DeltaAggregatedResources",
  readRequest: (message) => readFacts(message, { typeUrl: 2, nonce: 6, errorDetail: 7 }),
  readResponse: (message) => readFacts(message, response),
};

/** State of the world. */
export const stateOfTheWorld: AdsProtocol = {
  method: "StreamAggregatedResources",
  readRequest: (message) => readFacts(message, { typeUrl: 4, nonce: 5, errorDetail: 6 }),
  readResponse: (message) => readFacts(message, response),
};

function readFacts(message: Uint8Array, fields: FieldNumbers): MessageFacts {
  let typeUrl = "";
  let nonce = "";
  let error: string | undefined;
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (wireType !== WireType.LengthDelimited) reader.skip(wireType, field);
    else if (field === fields.typeUrl) typeUrl = reader.string();
    else if (field === fields.nonce) nonce = reader.string();
    else if (field === fields.errorDetail) error = statusMessage(reader.bytes());
    else reader.skip(wireType, field);
  }
  return { typeUrl, nonce, error };
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
