/**
 * What the agent itself does with the resources of a type.
 *
 * The composition root gives the proxy a table of these by type URL. What has no row goes from the control plane to
 * Envoy as it is, if it is Envoy's at all. A handler never sees a stream, a nonce or a version: subscribing,
 * acknowledging and refusing are the proxy's.
 */

/** One row of the table. */
export type ResourceHandler = Consumption | Relay;

/** Handlers by type URL, in the order in which the agent subscribes. */
export type ResourceHandlers = Readonly<Record<string, ResourceHandler>>;

/**
 * A type that is for the agent alone.
 *
 * The agent subscribes to all of it on each stream of Envoy, after Envoy's first request for listeners; Envoy sees
 * nothing of it.
 */
export interface Consumption {
  readonly kind: "consume";
  /**
   * Take in what a response says, which replaces what was said before: the value of its first resource, as Istio's
   * agent reads it; undefined when it has none. What takes long is taken in pieces, and what waits for others begins
   * elsewhere: the stream waits for this.
   */
  readonly take: (value: Uint8Array | undefined) => Taken | Promise<Taken>;
  /**
   * Given for a type of which the last accepted response is kept with Envoy's configuration: takes it in where an Envoy is
   * served from there. Whatever has come from the control plane since counts more.
   *
   * @param asOf when the control plane last stood behind it
   */
  readonly takeKept?: (value: Uint8Array | undefined, asOf: Date) => Taken | Promise<Taken>;
}

/** What became of a response; the control plane hears of it. */
export type Taken = { readonly kind: "accepted" } | { readonly kind: "refused"; readonly reason: string };

/** A type that Envoy subscribes to and gets. */
export interface Relay {
  readonly kind: "relay";
  /** True for a resource that is never to be on disk. */
  readonly holdsSecret?: (resource: Uint8Array) => boolean;
  /** Undefined leaves every resource as it is. */
  readonly rewriting?: Rewriting | undefined;
}

/** How resources are rewritten on their way; what waits for it keeps its own order and no other type back. */
export interface Rewriting {
  /** False for bytes that surely pass as they came. Asked of each response and each of its resources: it is to be quick. */
  readonly concerns: (bytes: Uint8Array) => boolean;
  /** Loads what rewrites, once on each stream that has something to rewrite. */
  readonly load: () => Promise<ResourceRewriter>;
}

/** Rewrites resources; shared by all streams. */
export interface ResourceRewriter {
  /**
   * Never takes for ever: what cannot be had in time is replaced by something that stands in for it.
   *
   * @param resource the value of the resource's Any
   * @param signal aborts when the answer, or what comes later, is of no use any more
   */
  rewrite(resource: Uint8Array, signal: AbortSignal): Promise<Rewritten>;
  /** Envoy gives these up. */
  retire(names: readonly string[]): void;
}

/** What Envoy is to get instead of a resource. */
export type Rewritten =
  | { readonly kind: "unchanged" }
  | {
      readonly kind: "replaced";
      readonly resource: Uint8Array;
      /**
       * Given when `resource` only stands in for what could not be had yet: what Envoy is to get once it is there;
       * undefined when the signal has aborted. Never rejects.
       */
      readonly later?: Promise<Uint8Array | undefined>;
    }
  /** It can be of no use to anybody: the control plane is told. */
  | { readonly kind: "refused"; readonly reason: string };
