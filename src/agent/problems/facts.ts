/**
 * What problems are found from: states that are known at once, and what is looked at now and then.
 */
import type { LastExit } from "../../envoy/supervision/report.ts";
import type { IdentityState } from "../../identity/identity-state.ts";
import type { CpuThrottling, ThrottledShare } from "../../process/cpu-throttling.ts";
import type { Readiness } from "../../status/contract/readiness.ts";
import type { XdsState } from "../../xdsproxy/report/state.ts";
import type { PeerBook } from "./peers.ts";

/** A folder that the agent writes to. */
export interface FolderFacts {
  readonly path: string;
  /** Why nothing can be written there; undefined when something can. */
  readonly refusal: string | undefined;
  /** Undefined where that is not known. */
  readonly freeBytes: number | undefined;
}

/** A socket that somebody has removed. */
export interface LostSocket {
  readonly path: string;
  /** Why it is still gone; undefined once it has its name back. */
  readonly reason: string | undefined;
}

/** What an untrusted upstream showed of itself, and what it is held against. */
export interface PeerDescription {
  /** `host:port`. */
  readonly address: string;
  /** Undefined where it could not be looked at. */
  readonly certificate:
    | {
        readonly issuer: string;
        /** SPIFFE ID or other names. */
        readonly names: string;
        readonly trustDomain: string;
        readonly notAfter: Date;
        readonly isSignedByOurRoots: boolean;
      }
    | undefined;
}

/** What is looked at now and then. */
export interface Looks {
  readonly readiness: Readiness | undefined;
  readonly throttling: CpuThrottling | undefined;
  /** Since the look before. */
  readonly throttled: ThrottledShare | undefined;
  readonly folders: readonly FolderFacts[];
  readonly sockets: readonly LostSocket[];
  readonly peers: PeerBook;
  /** By the name of the cluster. */
  readonly described: ReadonlyMap<string, PeerDescription>;
}

/** Nothing has been looked at. */
export const noLooks: Looks = {
  ...{ readiness: undefined, throttling: undefined, throttled: undefined },
  ...{ folders: [], sockets: [], peers: new Map(), described: new Map() },
};

/** All of it at one moment. */
export interface ProblemFacts {
  readonly identity: IdentityState;
  readonly xds: XdsState;
  /** Of a name table that was kept from an earlier life: when the control plane last stood behind it. */
  readonly namesAsOf?: Date | undefined;
  readonly configuration: {
    /** What is wrong with it on disk. */
    readonly refused: readonly string[];
    /** What is left out of it, as it makes no sense. */
    readonly odd: readonly string[];
  };
  /** Why the newest configuration does not serve. */
  readonly refusedGeneration: string | undefined;
  /** The last end of an Envoy that nobody asked for. */
  readonly lastExit: LastExit | undefined;
  readonly looks: Looks;
  /** The monotonic clock, in milliseconds. */
  readonly nowMs: number;
}
