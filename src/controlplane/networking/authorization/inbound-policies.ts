/**
 * Everything that decides on what comes in, for one workload.
 */
import type { InboundPolicies } from "../inbound.ts";
import type { ProxyView } from "../view.ts";

/** The filters of AuthorizationPolicies and RequestAuthentications, in the order in which they decide. */
export function inboundPolicies({ model }: ProxyView): InboundPolicies {
  return { trustDomains: model.settings.trustDomains, http: [], network: [] };
}
