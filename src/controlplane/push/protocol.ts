/**
 * The two variants of ADS on the server's side: what a request asks for and what a response to it holds.
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "../../proto/envoy/envoy/service/discovery/v3/discovery_pb.js";
import { DeltaSubscription, type VersionedResource } from "../../xds/delta-subscription.ts";
import { SotwSubscription } from "../../xds/sotw-subscription.ts";
import { wildcardTypes } from "../../xds/type-urls.ts";
import type { NodeFacts } from "../model/proxy.ts";

/** A request, whatever the variant. */
export interface Request {
  readonly typeUrl: string;
  readonly node: NodeFacts | undefined;
  readonly nonce: string;
  readonly error: string | undefined;
  /** What the subscription of its type makes of it. */
  readonly apply: (subscription: Subscription) => boolean;
}

/** A response that is to be sent. */
export interface Response {
  readonly encode: (typeUrl: string, version: string, nonce: string) => Uint8Array;
  /** The client has been sent it. */
  readonly sent: (nonce: string) => void;
}

/** One client's interest in one type. */
export interface Subscription {
  readonly delta?: DeltaSubscription;
  readonly sotw?: SotwSubscription;
  /** What to send so that the client is current. `force` answers a request even when nothing changed. */
  readonly respond: (
    resources: ReadonlyMap<string, VersionedResource>,
    force: boolean,
  ) => Response | undefined;
}

/** A variant. */
export interface ServerProtocol {
  readonly name: "delta" | "state-of-the-world";
  readonly decode: (message: Uint8Array) => Request;
  readonly subscribe: (typeUrl: string) => Subscription;
}

/** Longest reason that is kept of what a proxy says, in characters. */
const maxReason = 2_048;

function told(reason: string | undefined): string | undefined {
  if (reason === undefined || reason.length <= maxReason) return reason;
  return `${reason.slice(0, maxReason).toWellFormed()}…`;
}

function nodeFacts(node: { id: string; metadata?: object | undefined } | undefined): NodeFacts | undefined {
  if (node === undefined || node.id === "") return undefined;
  return { id: node.id, metadata: (node.metadata ?? {}) as Readonly<Record<string, unknown>> };
}

/** Incremental xDS: only what changed is sent. */
export const deltaProtocol: ServerProtocol = {
  name: "delta",
  decode: (message) => {
    const request = fromBinary(DeltaDiscoveryRequestSchema, message);
    return {
      typeUrl: request.typeUrl,
      node: nodeFacts(request.node),
      nonce: request.responseNonce,
      error: told(request.errorDetail?.message),
      apply: ({ delta }) => delta?.receive(request) ?? false,
    };
  },
  subscribe: (typeUrl) => {
    const delta = new DeltaSubscription(wildcardTypes.has(typeUrl));
    return {
      delta,
      respond: (resources, force) => {
        const difference = delta.difference(resources);
        if (!force && difference.changed.length === 0 && difference.removed.length === 0) return undefined;
        return {
          encode: (url, version, nonce) =>
            toBinary(
              DeltaDiscoveryResponseSchema,
              create(DeltaDiscoveryResponseSchema, {
                systemVersionInfo: version,
                typeUrl: url,
                nonce,
                resources: difference.changed.map(({ name, version: own, bytes }) => ({
                  name,
                  version: own,
                  resource: { typeUrl: url, value: bytes },
                })),
                removedResources: [...difference.removed],
              }),
            ),
          sent: () => {
            delta.sent(difference);
          },
        };
      },
    };
  },
};

/** State of the world: every wanted resource is sent whenever one of them changed. */
export const sotwProtocol: ServerProtocol = {
  name: "state-of-the-world",
  decode: (message) => {
    const request = fromBinary(DiscoveryRequestSchema, message);
    return {
      typeUrl: request.typeUrl,
      node: nodeFacts(request.node),
      nonce: request.responseNonce,
      error: told(request.errorDetail?.message),
      apply: ({ sotw }) => sotw?.receive(request).kind === "respond",
    };
  },
  subscribe: (typeUrl) => {
    const sotw = new SotwSubscription(wildcardTypes.has(typeUrl));
    let sentState = "";
    return {
      sotw,
      respond: (resources, force) => {
        const wanted = [...resources.values()].filter(({ name }) => sotw.wants(name));
        const state = wanted.map(({ name, version }) => `${name}@${version}`).join();
        if (!force && state === sentState) return undefined;
        return {
          encode: (url, version, nonce) =>
            toBinary(
              DiscoveryResponseSchema,
              create(DiscoveryResponseSchema, {
                versionInfo: version,
                typeUrl: url,
                nonce,
                resources: wanted.map(({ bytes }) => ({ typeUrl: url, value: bytes })),
              }),
            ),
          sent: (nonce) => {
            sentState = state;
            sotw.sent(nonce);
          },
        };
      },
    };
  },
};
