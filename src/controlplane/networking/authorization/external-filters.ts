/**
 * AuthorizationPolicies with the action CUSTOM: for what their rules match, an external authorizer is asked. Rules are matched by
 * an RBAC filter that enforces nothing and leaves the name of the policy in metadata; the authorizer's filter looks for it there.
 */
import type { GrpcServiceJson } from "../../../proto/envoy/envoy/config/core/v3/grpc_service_pb.js";
import type { FilterJson } from "../../../proto/envoy/envoy/config/listener/v3/listener_components_pb.js";
import type { PolicyJson } from "../../../proto/envoy/envoy/config/rbac/v3/rbac_pb.js";
import {
  type BufferSettingsJson,
  ExtAuthzSchema,
  type ExtAuthzJson,
  type HttpServiceJson,
} from "../../../proto/envoy/envoy/extensions/filters/http/ext_authz/v3/ext_authz_pb.js";
import { RBACSchema as HttpRbacSchema } from "../../../proto/envoy/envoy/extensions/filters/http/rbac/v3/rbac_pb.js";
import { ExtAuthzSchema as NetworkExtAuthzSchema } from "../../../proto/envoy/envoy/extensions/filters/network/ext_authz/v3/ext_authz_pb.js";
import { RBACSchema as NetworkRbacSchema } from "../../../proto/envoy/envoy/extensions/filters/network/rbac/v3/rbac_pb.js";
import type { MetadataMatcherJson } from "../../../proto/envoy/envoy/type/matcher/v3/metadata_pb.js";
import type { ListStringMatcherJson } from "../../../proto/envoy/envoy/type/matcher/v3/string_pb.js";
import { type HttpStatusJson, StatusCode } from "../../../proto/envoy/envoy/type/v3/http_status_pb.js";
import type { AuthorizationPolicy } from "../../model/model.ts";
import { packed } from "../any.ts";
import { jsonDuration } from "../durations.ts";
import type { HttpFilter } from "../filters.ts";
import { outboundCluster } from "../names.ts";
import type { Authorizer, FindAuthorizer } from "./authorizers.ts";
import { type PolicyContext, rbacPolicies } from "./policies.ts";
import { valueMatcher } from "./value-match.ts";

const statPrefix = "istio_ext_authz_";
const policyPrefix = "istio-ext-authz";

/** Istio's, where a provider says nothing. */
const defaultTimeout = "600s";

/** What of a request's body is shown where a provider asks for it and says no size. */
const defaultBodyBytes = 8_192;

type GrpcProvider = NonNullable<Authorizer["spec"]["envoyExtAuthzGrpc"]>;
type HttpProvider = NonNullable<Authorizer["spec"]["envoyExtAuthzHttp"]>;

/** Filters for requests and for connections. */
export interface ExternalFilters {
  readonly http: readonly HttpFilter[];
  readonly network: readonly FilterJson[];
}

/** @param policies those of the workload with the action CUSTOM */
export function externalFilters(
  policies: readonly AuthorizationPolicy[],
  find: FindAuthorizer,
  context: Pick<PolicyContext, "trustDomains">,
): ExternalFilters {
  const enforced = policies.filter(({ isDryRun }) => !isDryRun);
  const byProvider = Map.groupBy(enforced, ({ spec }) => spec.provider?.name ?? "");
  const pairs = [...byProvider]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, own]): ExternalFilters => {
      const authorizer = find(name);
      const prefix = `${policyPrefix}-${name}`;
      const named = (isHttp: boolean, suffix: string): Readonly<Record<string, PolicyJson>> =>
        renamed(rbacPolicies(own, { ...context, isHttp }), (key) => `${prefix}-${key}${suffix}`);
      if (authorizer === undefined)
        return denying((isHttp) => named(isHttp, "-deny-due-to-bad-CUSTOM-action"));
      // What is left of the name of one provider may be that of another.
      return asking(
        authorizer,
        (isHttp) => named(isHttp, ""),
        byProvider.size === 1 ? prefix : `${prefix}-ns[`,
      );
    });
  return { http: pairs.flatMap(({ http }) => http), network: pairs.flatMap(({ network }) => network) };
}

type NamedPolicies = (isHttp: boolean) => Readonly<Record<string, PolicyJson>>;

/** Nobody can be asked: nothing that should have been passes. */
function denying(policies: NamedPolicies): ExternalFilters {
  const rules = (isHttp: boolean) => ({ rules: { action: "DENY" as const, policies: policies(isHttp) } });
  return {
    http: [{ name: "envoy.filters.http.rbac", typedConfig: packed(HttpRbacSchema, rules(true)) }],
    network: [
      {
        name: "envoy.filters.network.rbac",
        typedConfig: packed(NetworkRbacSchema, { ...rules(false), statPrefix: "tcp." }),
      },
    ],
  };
}

function asking(authorizer: Authorizer, policies: NamedPolicies, prefix: string): ExternalFilters {
  const { envoyExtAuthzGrpc: grpc, envoyExtAuthzHttp: http } = authorizer.spec;
  const matching = (isHttp: boolean) => ({
    shadowRules: { action: "DENY" as const, policies: policies(isHttp) },
    shadowRulesStatPrefix: statPrefix,
  });
  const common = grpc ?? http;
  const requests: ExtAuthzJson = {
    ...(grpc === undefined ? {} : { grpcService: grpcService(authorizer, grpc) }),
    ...(http === undefined ? {} : httpService(authorizer, http)),
    ...(common?.statusOnError === undefined ? {} : { statusOnError: statusOf(common.statusOnError) }),
    failureModeAllow: common?.failOpen ?? false,
    ...(common?.clearRouteCache === true ? { clearRouteCache: true } : {}),
    transportApiVersion: "V3",
    filterEnabledMetadata: matchedBy("envoy.filters.http.rbac", prefix),
    ...(common?.includeRequestBodyInCheck === undefined
      ? {}
      : { withRequestBody: bodyOf(common.includeRequestBodyInCheck) }),
  };
  const isForConnections = grpc !== undefined;
  return {
    http: [
      { name: "envoy.filters.http.rbac", typedConfig: packed(HttpRbacSchema, matching(true)) },
      { name: "envoy.filters.http.ext_authz", typedConfig: packed(ExtAuthzSchema, requests) },
    ],
    // One that speaks HTTP is asked for requests only.
    network: isForConnections
      ? [
          {
            name: "envoy.filters.network.rbac",
            typedConfig: packed(NetworkRbacSchema, { ...matching(false), statPrefix: "tcp." }),
          },
          {
            name: "envoy.filters.network.ext_authz",
            typedConfig: packed(NetworkExtAuthzSchema, {
              statPrefix: "tcp.",
              grpcService: grpcService(authorizer, grpc),
              failureModeAllow: grpc.failOpen ?? false,
              transportApiVersion: "V3",
              filterEnabledMetadata: matchedBy("envoy.filters.network.rbac", prefix),
            }),
          },
        ]
      : [],
  };
}

function clusterOf({ host, port }: Authorizer): string {
  return outboundCluster(host, port);
}

function timeoutOf({ timeout }: Pick<GrpcProvider, "timeout">): string {
  return timeout === undefined ? defaultTimeout : jsonDuration(timeout);
}

function grpcService(authorizer: Authorizer, provider: GrpcProvider): GrpcServiceJson {
  return {
    envoyGrpc: { clusterName: clusterOf(authorizer), authority: authorizer.host },
    timeout: timeoutOf(provider),
  };
}

function httpService(
  authorizer: Authorizer,
  provider: HttpProvider,
): Pick<ExtAuthzJson, "httpService" | "allowedHeaders"> {
  const { pathPrefix, includeAdditionalHeadersInCheck: added = {} } = provider;
  const allowed = headersOf(provider.includeRequestHeadersInCheck ?? provider.includeHeadersInCheck);
  const headersToAdd = Object.entries(added)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => ({ key, value }));
  const responses = {
    allowedUpstreamHeaders: headersOf(provider.headersToUpstreamOnAllow),
    allowedClientHeaders: headersOf(provider.headersToDownstreamOnDeny),
    allowedClientHeadersOnSuccess: headersOf(provider.headersToDownstreamOnAllow),
  };
  const authorizationResponse = Object.fromEntries(
    Object.entries(responses).filter(([, headers]) => headers !== undefined),
  ) as NonNullable<HttpServiceJson["authorizationResponse"]>;
  return {
    httpService: {
      serverUri: {
        // Demanded by Envoy, which goes by the cluster.
        uri: `http://${authorizer.host}`,
        cluster: clusterOf(authorizer),
        timeout: timeoutOf(provider),
      },
      ...(pathPrefix === undefined ? {} : { pathPrefix }),
      ...(headersToAdd.length === 0 ? {} : { authorizationRequest: { headersToAdd } }),
      ...(Object.keys(authorizationResponse).length === 0 ? {} : { authorizationResponse }),
    },
    ...(allowed === undefined ? {} : { allowedHeaders: allowed }),
  };
}

function headersOf(names: readonly string[] | undefined): ListStringMatcherJson | undefined {
  if (names === undefined || names.length === 0) return undefined;
  return { patterns: names.map((name) => ({ ...valueMatcher(name), ignoreCase: true })) };
}

function bodyOf(body: NonNullable<GrpcProvider["includeRequestBodyInCheck"]>): BufferSettingsJson {
  const { maxRequestBytes, allowPartialMessage, packAsBytes } = body;
  return {
    // Envoy demands a bound.
    maxRequestBytes: maxRequestBytes || defaultBodyBytes,
    ...(allowPartialMessage === undefined ? {} : { allowPartialMessage }),
    ...(packAsBytes === undefined ? {} : { packAsBytes }),
  };
}

function statusOf(code: string): HttpStatusJson {
  return { code: StatusCode[Number(code)] as NonNullable<HttpStatusJson["code"]> };
}

function matchedBy(filter: string, prefix: string): MetadataMatcherJson {
  return {
    filter,
    path: [{ key: `${statPrefix}shadow_effective_policy_id` }],
    value: { stringMatch: { prefix } },
  };
}

function renamed<Value>(
  record: Readonly<Record<string, Value>>,
  name: (key: string) => string,
): Readonly<Record<string, Value>> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [name(key), value]));
}
