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
import { DeltaSubscription, type VersionedResource } from "../../xds/delta-subscription.ts";
import { SotwSubscription } from "../../xds/sotw-subscription.ts";
import { wildcardTypes } from "../../xds/type-urls.ts";
import type { NodeFacts } from "../model/proxy.ts";

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
  /** Names of the resources in it that the client does not have like this. */
  readonly changed: readonly string[];
  readonly encode: (typeUrl: string, version: string, nonce: string) => Uint8Array;
  /** The client has been sent it. */
  readonly sent: (nonce: string) => void;
}

/** One client's interest in one type. */
export interface Subscription {
  readonly delta?: DeltaSubscription;
  readonly sotw?: SotwSubscription;
  /** What to send so that the client is current; undefined when it is. */
  readonly respond: (
    resources: ReadonlyMap<string, VersionedResource>,
    how: ResponseOptions,
  ) => Response | undefined;
  /** True when the client is to have the resource of that name. */
  readonly wants: (name: string) => boolean;
  /** The next response holds these, if they are wanted, whatever the client has. */
  readonly resend: (names: ReadonlySet<string>) => void;
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
    const delta = new DeltaSubscription(wildcardTypes.has(typeUrl));
    return {
      delta,
      wants: (name) => delta.wants(name),
      resend: (names) => {
        delta.forget(names);
      },
      respond: (resources, { force, keepsGone }) => {
        const whole = delta.difference(resources);
        const difference = keepsGone ? { ...whole, removed: [] } : whole;
        if (!force && difference.changed.length === 0 && difference.removed.length === 0) return undefined;
        return {
          changed: difference.changed.map(({ name }) => name),
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
    let has: ReadonlyMap<string, VersionedResource> = new Map();
    let isOwed = false;
    return {
      sotw,
      wants: (name) => sotw.wants(name),
      resend: (names) => {
        isOwed ||= [...names].some((name) => sotw.wants(name));
      },
      respond: (resources, { force, keepsGone }) => {
        const kept = keepsGone && isWhole ? [...has.values()].filter(({ name }) => !resources.has(name)) : [];
        const wanted = [...resources.values(), ...kept].filter(({ name }) => sotw.wants(name));
        const changed = wanted.filter(({ name, version }) => has.get(name)?.version !== version);
        if (!force && !isOwed && changed.length === 0 && wanted.length === has.size) return undefined;
        return {
          changed: changed.map(({ name }) => name),
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
            has = new Map(wanted.map((resource) => [resource.name, resource]));
            isOwed = false;
            sotw.sent(nonce);
          },
        };
      },
    };
  },
};
