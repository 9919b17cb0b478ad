/**
 * The two variants of ADS on the server's side: what a request asks for and what a response to it holds.
 */
import { randomUUID } from "node:crypto";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "../../proto/envoy/envoy/service/discovery/v3/discovery_pb.js";
import type { DeltaRequest, VersionedResource } from "../../xds/delta-subscription.ts";
import { type SotwRequest, SotwSubscription, type SotwVerdict } from "../../xds/sotw-subscription.ts";
import { wildcardTypes } from "../../xds/type-urls.ts";
import type { NodeFacts } from "../model/proxy.ts";
import { ClientState, type Had } from "./client-state.ts";
import { DeltaInterest } from "./delta-interest.ts";
import type { ResourceSet } from "./layer.ts";
import { deltaResponse, sotwResponse } from "./response-bytes.ts";

/** A request, whatever the variant. */
export interface Request {
  readonly typeUrl: string;
  readonly node: NodeFacts | undefined;
  readonly nonce: string;
  /** What it names. */
  readonly names: readonly string[];
  readonly error: string | undefined;
  /** What the subscription of its type makes of it. */
  readonly apply: (subscription: Subscription) => boolean;
}

/** A response that is to be sent. */
export interface Response {
  /** The resources in it that the client does not have like this. */
  readonly changed: readonly VersionedResource[];
  /** Names of what it takes away. */
  readonly removed: readonly string[];
  /** What the client has of that name before it. */
  readonly before: (name: string) => Had | undefined;
  readonly encode: (typeUrl: string, version: string, nonce: string, identifier: string) => Uint8Array;
  /** The client has been sent it. */
  readonly sent: (nonce: string) => void;
}

/** One client's interest in one type. */
export interface Subscription {
  readonly delta?: { readonly receive: (request: DeltaRequest) => boolean };
  readonly sotw?: { readonly receive: (request: SotwRequest) => SotwVerdict };
  /** What to send so that the client is current; undefined when it is. */
  readonly respond: (resources: ResourceSet, how: ResponseOptions) => Response | undefined;
  /** True when the client is to have the resource of that name. */
  readonly wants: (name: string) => boolean;
  /** The next response holds these, if they are wanted, whatever the client has. */
  readonly resend: (names: ReadonlySet<string>) => void;
  /** The client has this, whatever was sent since: it has refused that. */
  readonly has: (name: string, had: Had) => void;
}

/** How a response is made. */
export interface ResponseOptions {
  /** There is a response even when nothing changed: a request is answered. */
  readonly force: boolean;
  /** What the client has and is to have no longer stays for now. */
  readonly keepsGone: boolean;
}

/** Something that is answered under another type than it was asked for. */
export interface Page {
  readonly name: string;
  readonly typeUrl: string;
  readonly bytes: Uint8Array;
}

/** A variant. */
export interface ServerProtocol {
  readonly name: "delta" | "state-of-the-world";
  readonly decode: (message: Uint8Array) => Request;
  readonly subscribe: (typeUrl: string) => Subscription;
  /** A response that is no subscription's. @param identifier who answers, as in istiod's responses */
  readonly encodePages: (typeUrl: string, pages: readonly Page[], identifier: string) => Uint8Array;
}

/** Longest reason that is kept of what a proxy says, in characters. */
const maxReason = 2_048;

function told(reason: string | undefined): string | undefined {
  if (reason === undefined || reason.length <= maxReason) return reason;
  return `${reason.slice(0, maxReason).toWellFormed()}…`;
}

function nodeFacts(
  node:
    | {
        id: string;
        cluster: string;
        metadata?: object | undefined;
        locality?: NodeFacts["locality"] | undefined;
      }
    | undefined,
): NodeFacts | undefined {
  if (node === undefined || node.id === "") return undefined;
  const { id, cluster, metadata = {}, locality } = node;
  return {
    id,
    cluster,
    metadata: metadata as Readonly<Record<string, unknown>>,
    ...(locality === undefined ? {} : { locality }),
  };
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
      names: request.resourceNamesSubscribe,
      error: told(request.errorDetail?.message),
      apply: ({ delta }) => delta?.receive(request) ?? false,
    };
  },
  encodePages: (typeUrl, pages, identifier) =>
    toBinary(
      DeltaDiscoveryResponseSchema,
      create(DeltaDiscoveryResponseSchema, {
        typeUrl,
        nonce: randomUUID(),
        controlPlane: { identifier },
        resources: pages.map((page) => ({
          name: page.name,
          resource: { typeUrl: page.typeUrl, value: page.bytes },
        })),
      }),
    ),
  subscribe: (typeUrl) => {
    const delta = new DeltaInterest(wildcardTypes.has(typeUrl));
    return {
      delta,
      wants: (name) => delta.wants(name),
      resend: (names) => {
        delta.state.lacks(names);
      },
      has: (name, had) => {
        delta.state.has(name, had);
      },
      respond: (resources, { force, keepsGone }) => {
        const { changed, gone, before, taken } = delta.state.stepTo(resources);
        const removed = keepsGone ? [] : gone;
        if (!force && changed.length === 0 && removed.length === 0) {
          taken(keepsGone);
          return undefined;
        }
        return {
          changed,
          removed,
          before,
          encode: (typeUrl, version, nonce, identifier) =>
            deltaResponse({ typeUrl, version, nonce, identifier }, changed, removed),
          sent: () => {
            taken(keepsGone);
          },
        };
      },
    };
  },
};

/** State of the world: of clusters and listeners every wanted one is sent whenever one of them changed. */
export const sotwProtocol: ServerProtocol = {
  name: "state-of-the-world",
  decode: (message) => {
    const request = fromBinary(DiscoveryRequestSchema, message);
    return {
      typeUrl: request.typeUrl,
      node: nodeFacts(request.node),
      nonce: request.responseNonce,
      names: request.resourceNames,
      error: told(request.errorDetail?.message),
      apply: ({ sotw }) => sotw?.receive(request).kind === "respond",
    };
  },
  encodePages: (typeUrl, pages, identifier) =>
    toBinary(
      DiscoveryResponseSchema,
      create(DiscoveryResponseSchema, {
        typeUrl,
        nonce: randomUUID(),
        controlPlane: { identifier },
        resources: pages.map((page) => ({ typeUrl: page.typeUrl, value: page.bytes })),
      }),
    ),
  subscribe: (typeUrl) => {
    const sotw = new SotwSubscription(wildcardTypes.has(typeUrl));
    // Elsewhere what is left out of a response stays.
    const isWhole = wildcardTypes.has(typeUrl);
    const state = new ClientState((name) => sotw.wants(name));
    return {
      sotw: {
        receive: (request) => {
          const before = sotw.names;
          const verdict = sotw.receive(request);
          if (request.responseNonce === "") state.lacksAll();
          else state.lacks(request.resourceNames.filter((name) => !before.has(name)));
          return verdict;
        },
      },
      wants: (name) => sotw.wants(name),
      resend: (names) => {
        state.lacks(names);
      },
      has: (name, had) => {
        state.has(name, had);
      },
      respond: (resources, { force, keepsGone }) => {
        const { changed, gone, goneResources, before, taken } = state.stepTo(resources);
        if (!force && changed.length === 0 && (gone.length === 0 || keepsGone || !isWhole)) {
          taken(keepsGone);
          return undefined;
        }
        return {
          changed,
          removed: keepsGone || !isWhole ? [] : gone,
          before,
          encode: (typeUrl, version, nonce, identifier) => {
            const wanted = isWhole ? [...resources.values()].filter(({ name }) => sotw.wants(name)) : changed;
            const kept = keepsGone && isWhole ? goneResources : [];
            return sotwResponse({ typeUrl, version, nonce, identifier }, [...wanted, ...kept]);
          },
          sent: (nonce) => {
            taken(keepsGone);
            sotw.sent(nonce);
          },
        };
      },
    };
  },
};
