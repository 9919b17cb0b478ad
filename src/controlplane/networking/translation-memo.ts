/**
 * What translation keeps from one model to the next and shares between proxies: each part by everything that it is made of.
 */
import type { ClusterJson } from "../../proto/envoy/envoy/config/cluster/v3/cluster_pb.js";
import type { ClusterLoadAssignmentJson } from "../../proto/envoy/envoy/config/endpoint/v3/endpoint_pb.js";
import type { VirtualHostJson } from "../../proto/envoy/envoy/config/route/v3/route_components_pb.js";
import type { AppliedRule } from "./destination-rules.ts";
import { CallerParts } from "./caller-parts.ts";
import { IdentityMemo } from "./identity-memo.ts";
import type { Outbound } from "./captured.ts";
import type { CallerPlace } from "./locality.ts";
import { ServiceMemo } from "./service-memo.ts";
import { ReadMemo } from "./read-memo.ts";
import type { MatchedCaller } from "./rule-match.ts";

/** Shared by all translations of one control plane. Results are the same with a new one. */
export class TranslationMemo {
  readonly rules = new IdentityMemo<AppliedRule>();
  readonly clusters = new ServiceMemo<readonly ClusterJson[]>();
  readonly endpoints = new ServiceMemo<readonly ClusterLoadAssignmentJson[]>();
  /** By what those are kept that a rule makes by place. */
  readonly places = new CallerParts<CallerPlace>(({ locality, labels }) => [locality, labels]);
  /** By what those are kept that a rule makes for some callers only. */
  readonly matched = new CallerParts<MatchedCaller>(({ namespace, labels }) => [namespace, labels]);
  readonly virtualHosts = new ReadMemo<NamedHost>();
  readonly keys = new WeakMap<NamedHost, HostKeys>();
  /** Of one view, which is asked for listeners and for routes. */
  readonly outbound = new IdentityMemo<Outbound>();
}

/** Names as Envoy compares them: in small letters. */
export interface HostKeys {
  readonly name: string;
  readonly domains: readonly string[];
}

/** A virtual host as it is made here. */
export interface NamedHost extends VirtualHostJson {
  readonly name: string;
  domains: string[];
}
