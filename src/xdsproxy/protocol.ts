/**
 * The two variants of ADS, as far as the proxy looks into a message: who answers what, and of which type.
 *
 * Only a copy is decoded. What is forwarded are the bytes that came.
 */
import { fromBinary } from "@bufbuild/protobuf";
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "../proto/agent/discovery_pb.js";

/** What the proxy reads of a request. */
export interface RequestFacts {
  readonly typeUrl: string;
  /** Not empty when the request answers a response. */
  readonly nonce: string;
  /** Envoy's words, when it refuses that response. */
  readonly error: string | undefined;
}

/** One variant of the protocol. */
export interface AdsProtocol {
  readonly method: string;
  readonly readRequest: (message: Uint8Array) => RequestFacts;
  readonly readTypeUrl: (response: Uint8Array) => string;
}

const service = "/envoy.service.discovery.v3.AggregatedDiscoveryService";

/** Incremental xDS, Istio's default. */
export const delta: AdsProtocol = {
  method: `${service}/DeltaAggregatedResources`,
  readRequest: (message) => {
    const request = fromBinary(DeltaDiscoveryRequestSchema, message);
    return { typeUrl: request.typeUrl, nonce: request.responseNonce, error: request.errorDetail?.message };
  },
  readTypeUrl: (response) => fromBinary(DeltaDiscoveryResponseSchema, response).typeUrl,
};

/** State of the world. */
export const stateOfTheWorld: AdsProtocol = {
  method: `${service}/StreamAggregatedResources`,
  readRequest: (message) => {
    const request = fromBinary(DiscoveryRequestSchema, message);
    return { typeUrl: request.typeUrl, nonce: request.responseNonce, error: request.errorDetail?.message };
  },
  readTypeUrl: (response) => fromBinary(DiscoveryResponseSchema, response).typeUrl,
};
