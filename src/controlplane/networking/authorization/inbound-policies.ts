/**
 * Everything that decides on what comes in, for one workload.
 */
import type { RBAC_ActionJson } from "../../../proto/envoy/envoy/config/rbac/v3/rbac_pb.js";
import { RBACSchema as HttpRbacSchema } from "../../../proto/envoy/envoy/extensions/filters/http/rbac/v3/rbac_pb.js";
import { RBACSchema as NetworkRbacSchema } from "../../../proto/envoy/envoy/extensions/filters/network/rbac/v3/rbac_pb.js";
import type { AuthorizationPolicySpec } from "../../config/objects.ts";
import { applyingPolicies, type Scoped } from "../../model/model.ts";
import { packed } from "../any.ts";
import type { InboundPolicies } from "../inbound.ts";
import type { ProxyView } from "../view.ts";
import { jwtFilters } from "./jwt-filter.ts";
import { rbacPolicies } from "./policies.ts";

/** In the order in which they decide: what is denied is not allowed by anybody. */
const actions = [
  ["AUDIT", "LOG"],
  ["DENY", "DENY"],
  ["ALLOW", "ALLOW"],
] as const satisfies readonly (readonly [NonNullable<AuthorizationPolicySpec["action"]>, RBAC_ActionJson])[];

/** The filters of AuthorizationPolicies and RequestAuthentications. */
export function inboundPolicies({ model, proxy }: ProxyView): InboundPolicies {
  const { trustDomains } = model.settings;
  const applying = applyingPolicies(model, model.authorizationPolicies, proxy);
  const tokens = applyingPolicies(model, model.requestAuthentications, proxy);
  const rules = (isHttp: boolean): readonly object[] =>
    actions.flatMap(([wanted, action]) => {
      const policies = applying.filter(({ spec }) => (spec.action ?? "ALLOW") === wanted);
      return policies.length === 0 ? [] : [rulesOf(policies, action, { trustDomains, isHttp })];
    });
  return {
    trustDomains,
    http: [
      ...jwtFilters(tokens.map(({ spec }) => spec)),
      ...rules(true).map((json) => ({
        name: "envoy.filters.http.rbac",
        typedConfig: packed(HttpRbacSchema, { rules: json }),
      })),
    ],
    network: rules(false).map((json) => ({
      name: "envoy.filters.network.rbac",
      typedConfig: packed(NetworkRbacSchema, { rules: json, statPrefix: "tcp." }),
    })),
  };
}

/** An ALLOW policy without rules allows nothing, which is one. */
function rulesOf(
  policies: readonly Scoped<AuthorizationPolicySpec>[],
  action: RBAC_ActionJson,
  context: Parameters<typeof rbacPolicies>[1],
): object {
  return { action, policies: rbacPolicies(policies, context) };
}
