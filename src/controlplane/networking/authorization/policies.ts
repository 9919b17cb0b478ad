/**
 * AuthorizationPolicies as policies of Envoy's RBAC, for requests or for connections.
 */
import type {
  PermissionJson,
  PolicyJson,
  PrincipalJson,
} from "../../../proto/envoy/envoy/config/rbac/v3/rbac_pb.js";
import type { AuthorizationPolicySpec } from "../../config/objects.ts";
import type { Scoped } from "../../model/model.ts";
import {
  ofPermissions,
  operationPermissions,
  serverName,
  toAddress,
  type ToPermission,
  toPort,
} from "./permissions.ts";
import {
  claim,
  fromAddress,
  fromRemoteAddress,
  ofNamespace,
  ofPrincipals,
  principalNamed,
  requestPrincipal,
  sourcePrincipals,
  type ToPrincipal,
} from "./principals.ts";
import { valueMatcher } from "./value-match.ts";

type Rule = NonNullable<AuthorizationPolicySpec["rules"]>[number];
type Condition = NonNullable<Rule["when"]>[number];

/** For what the policies are. */
export interface PolicyContext {
  readonly trustDomains: readonly string[];
  readonly isHttp: boolean;
}

/** The rules of the policies by their names, as Istio writes them. */
export function rbacPolicies(
  policies: readonly Scoped<AuthorizationPolicySpec>[],
  context: PolicyContext,
): Readonly<Record<string, PolicyJson>> {
  const entries = policies.flatMap(({ namespace, name, spec }) => {
    const { rules = [] } = spec;
    // Told by its name in statistics and logs, too.
    if (rules.length === 0) return [[`ns[${namespace}]-policy[${name}]-rule[0]`, never] as const];
    return rules.flatMap((rule, index) => {
      // A connection has no path and no header: what would be allowed by one is not; what is denied by one is, by all
      // that can be seen of it.
      if (!context.isHttp && !denies(spec) && asksForRequest(rule)) return [];
      const key = `ns[${namespace}]-policy[${name}]-rule[${index}]`;
      return [[key, policyOf(rule, context)] as const];
    });
  });
  return Object.fromEntries(entries);
}

/** True for what may end a connection: of an external authorizer that it is asked. */
function denies({ action }: AuthorizationPolicySpec): boolean {
  return action === "DENY" || action === "CUSTOM";
}

/** What nobody and nothing fits: a policy without rules. */
const never: PolicyJson = {
  permissions: [{ notRule: { any: true } }],
  principals: [{ notId: { any: true } }],
};

function policyOf(
  { from = [], to = [], when = [] }: Rule,
  { trustDomains, isHttp }: PolicyContext,
): PolicyJson {
  const known = when.filter(({ key }) => isHttp || !key.startsWith("request."));
  const callers = known.flatMap((condition) => callerCondition(condition, trustDomains));
  const connections = known.flatMap(connectionCondition);
  const principals = (from.length === 0 ? [{}] : from.map(({ source }) => source)).map((source) =>
    ofPrincipals.allOf([...sourcePrincipals(source, trustDomains, isHttp), ...callers]),
  );
  const permissions = (to.length === 0 ? [{}] : to.map(({ operation }) => operation)).map((operation) =>
    ofPermissions.allOf([...operationPermissions(operation, isHttp), ...connections]),
  );
  return { permissions: [ofPermissions.anyOf(permissions)], principals: [ofPrincipals.anyOf(principals)] };
}

function callerCondition(
  { key, values, notValues }: Condition,
  trustDomains: readonly string[],
): readonly PrincipalJson[] {
  const to = callerAttribute(key, trustDomains);
  return to === undefined ? [] : ofPrincipals.among(to, values, notValues);
}

function callerAttribute(key: string, trustDomains: readonly string[]): ToPrincipal | undefined {
  const header = /^request\.headers\[(.+)\]$/.exec(key)?.[1];
  if (header !== undefined)
    return (value) => ({ header: { name: header, stringMatch: valueMatcher(value) } });
  if (key.startsWith("request.auth.claims"))
    return claim([...key.matchAll(/\[([^\]]+)\]/g)].map(([, name = ""]) => name));
  switch (key) {
    case "source.ip":
      return fromAddress;
    case "remote.ip":
      return fromRemoteAddress;
    case "source.namespace":
      return ofNamespace;
    case "source.principal":
      return principalNamed(trustDomains);
    case "request.auth.principal":
      return requestPrincipal;
    case "request.auth.audiences":
      return claim(["aud"]);
    case "request.auth.presenter":
      return claim(["azp"]);
    default:
      return undefined;
  }
}

const connectionAttributes: Readonly<Record<string, ToPermission>> = {
  "destination.ip": toAddress,
  "destination.port": toPort,
  "connection.sni": serverName,
};

function connectionCondition({ key, values, notValues }: Condition): readonly PermissionJson[] {
  const to = connectionAttributes[key];
  return to === undefined ? [] : ofPermissions.among(to, values, notValues);
}

/** True for a rule that asks for something that only a request has. */
function asksForRequest({ from = [], to = [], when = [] }: Rule): boolean {
  return (
    from.some(
      ({ source }) => source.requestPrincipals !== undefined || source.notRequestPrincipals !== undefined,
    ) ||
    to.some(({ operation: { hosts, notHosts, methods, notMethods, paths, notPaths } }) =>
      [hosts, notHosts, methods, notMethods, paths, notPaths].some((part) => part !== undefined),
    ) ||
    when.some(({ key }) => key.startsWith("request."))
  );
}
