/**
 * Everything that decides on what comes in, for one workload.
 */
import type { RBAC_ActionJson, RBACJson } from "../../../proto/envoy/envoy/config/rbac/v3/rbac_pb.js";
import {
  type RBACJson as HttpRbacJson,
  RBACSchema as HttpRbacSchema,
} from "../../../proto/envoy/envoy/extensions/filters/http/rbac/v3/rbac_pb.js";
import { RBACSchema as NetworkRbacSchema } from "../../../proto/envoy/envoy/extensions/filters/network/rbac/v3/rbac_pb.js";
import type { AuthorizationPolicySpec } from "../../config/objects.ts";
import { applyingPolicies, type Model, type Scoped, type Selectable } from "../../model/model.ts";
import { type ExtendedTraffic, extensionsFor } from "../../model/extensions.ts";
import { packed } from "../any.ts";
import { everyPhase, extensionFilters } from "../extensions/filters.ts";
import type { InboundPolicies } from "../inbound.ts";
import { authorizerFinder } from "./authorizers.ts";
import { externalFilters } from "./external-filters.ts";
import { jwtFilters } from "./jwt-filter.ts";
import { rbacPolicies } from "./policies.ts";

/**
 * In the order in which they decide, after whoever is asked outside: what is denied is not allowed by anybody; and how the counters of policies begin
 * that are not enforced, as Istio has them.
 */
const actions = [
  ["AUDIT", "LOG", ""],
  ["DENY", "DENY", "istio_dry_run_deny_"],
  ["ALLOW", "ALLOW", "istio_dry_run_allow_"],
] as const satisfies readonly (readonly [
  wanted: NonNullable<AuthorizationPolicySpec["action"]>,
  action: RBAC_ActionJson,
  dryRunPrefix: string,
])[];

/** What is read of the mesh and of the workload. */
interface PolicyView {
  readonly model: Pick<
    Model,
    | "settings"
    | "authorizationPolicies"
    | "requestAuthentications"
    | "meshConfig"
    | "providerServices"
    | "extensions"
  >;
  readonly proxy: Selectable;
}

/** The filters of AuthorizationPolicies and RequestAuthentications, with extensions between them as their phases say. */
export function inboundPolicies(
  { model, proxy }: PolicyView,
  side: ExtendedTraffic["side"],
): InboundPolicies {
  const { trustDomains } = model.settings;
  const applying = applyingPolicies(model, model.authorizationPolicies, proxy);
  const tokens = applyingPolicies(model, model.requestAuthentications, proxy);
  const rules = (isHttp: boolean): readonly DecidingRules[] =>
    actions.flatMap(([wanted, action, dryRunPrefix]) => {
      const policies = applying.filter(({ spec }) => (spec.action ?? "ALLOW") === wanted);
      if (policies.length === 0) return [];
      const [enforced, dry] = [false, true].map((wantsDry) =>
        rulesOf(
          policies.filter(({ isDryRun }) => isDryRun === wantsDry),
          action,
          { trustDomains, isHttp },
        ),
      );
      return [
        {
          ...(enforced === undefined ? {} : { rules: enforced }),
          ...(dry === undefined ? {} : { shadowRules: dry }),
          ...(dryRunPrefix === "" ? {} : { shadowRulesStatPrefix: dryRunPrefix }),
        },
      ];
    });
  const external = externalFilters(
    applying.filter(({ spec }) => spec.action === "CUSTOM"),
    authorizerFinder(model),
    { trustDomains },
  );
  const tokensChecked = jwtFilters(tokens.map(({ spec }) => spec));
  const requestsAllowed = rules(true).map((json) => ({
    name: "envoy.filters.http.rbac",
    typedConfig: packed(HttpRbacSchema, json),
  }));
  const connectionsAllowed = rules(false).map((json) => ({
    name: "envoy.filters.network.rbac",
    typedConfig: packed(NetworkRbacSchema, { ...json, statPrefix: "tcp." }),
  }));
  const extensions = extensionsFor(model, proxy);
  return {
    trustDomains,
    at: (port) => {
      const { http, network } = extensionFilters(extensions, { port, side });
      return {
        http: [
          ...external.http,
          ...http("AUTHN"),
          ...tokensChecked,
          ...http("AUTHZ"),
          ...requestsAllowed,
          ...http("STATS"),
          ...http("UNSPECIFIED"),
        ],
        beforeHttp: everyPhase(network),
        network: [
          ...external.network,
          ...network("AUTHN"),
          ...network("AUTHZ"),
          ...connectionsAllowed,
          ...network("STATS"),
          ...network("UNSPECIFIED"),
        ],
      };
    },
  };
}

/** What is enforced, and what is only counted: where there is nothing, Envoy lets everything pass. */
type DecidingRules = Pick<HttpRbacJson, "rules" | "shadowRules" | "shadowRulesStatPrefix">;

/** None without a policy; an ALLOW policy without rules allows nothing, which is one. */
function rulesOf(
  policies: readonly Scoped<AuthorizationPolicySpec>[],
  action: RBAC_ActionJson,
  context: Parameters<typeof rbacPolicies>[1],
): RBACJson | undefined {
  if (policies.length === 0) return undefined;
  return { action, policies: rbacPolicies(policies, context) };
}
