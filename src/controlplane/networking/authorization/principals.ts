/**
 * Who a rule is about: sources, and what is known of the caller, as principals of Envoy's RBAC.
 */
import type { PrincipalJson } from "../../../proto/envoy/envoy/config/rbac/v3/rbac_pb.js";
import type { MetadataMatcherJson } from "../../../proto/envoy/envoy/type/matcher/v3/metadata_pb.js";
import type { ValueMatcherJson } from "../../../proto/envoy/envoy/type/matcher/v3/value_pb.js";
import type { AuthorizationPolicySpec } from "../../config/objects.ts";
import { rangeOf } from "../connections.ts";
import { jwtFilter } from "./jwt-filter.ts";
import { asRegex, valueMatcher } from "./value-match.ts";

type Rule = NonNullable<AuthorizationPolicySpec["rules"]>[number];

/** Where a caller comes from. */
export type Source = NonNullable<Rule["from"]>[number]["source"];

/** How a value becomes a principal. */
export type ToPrincipal = (value: string) => PrincipalJson;

const anybody: PrincipalJson = { any: true };

/** One of these. */
export function anyOf(ids: readonly PrincipalJson[]): PrincipalJson {
  const [only, ...others] = ids;
  return only !== undefined && others.length === 0 ? only : { orIds: { ids: [...ids] } };
}

/** All of these; anybody when there are none. */
export function allOf(ids: readonly PrincipalJson[]): PrincipalJson {
  const [only, ...others] = ids;
  if (only === undefined) return anybody;
  return others.length === 0 ? only : { andIds: { ids: [...ids] } };
}

/** One of `values`, and none of `notValues`. */
export function among(
  to: ToPrincipal,
  values: readonly string[] | undefined,
  notValues: readonly string[] | undefined,
): readonly PrincipalJson[] {
  return [
    ...(values === undefined ? [] : [anyOf(values.map(to))]),
    ...(notValues === undefined ? [] : [{ notId: anyOf(notValues.map(to)) }]),
  ];
}

/** All that a source asks of the caller; without what only a request says where there is none. */
export function sourcePrincipals(
  source: Source,
  trustDomains: readonly string[],
  isHttp: boolean,
): readonly PrincipalJson[] {
  const named = principalNamed(trustDomains);
  return [
    ...among(named, source.principals, source.notPrincipals),
    ...(isHttp ? among(requestPrincipal, source.requestPrincipals, source.notRequestPrincipals) : []),
    ...among(ofNamespace, source.namespaces, source.notNamespaces),
    ...among(fromAddress, source.ipBlocks, source.notIpBlocks),
    ...among(fromRemoteAddress, source.remoteIpBlocks, source.notRemoteIpBlocks),
  ];
}

/** What policies call the mesh's own trust domain, whatever its name is. */
const ownTrustDomain = "cluster.local";

/** The identity of the certificate. One of a trust domain of the mesh is that of any of them. */
export function principalNamed(trustDomains: readonly string[]): ToPrincipal {
  return (value) => {
    const [domain = "", ...rest] = value.split("/");
    const same = domain === ownTrustDomain || trustDomains.includes(domain) ? trustDomains : [domain];
    return anyOf(
      same.map((each) => ({
        authenticated: { principalName: valueMatcher([each, ...rest].join("/"), "spiffe://") },
      })),
    );
  };
}

/** The namespace of that identity. */
export const ofNamespace: ToPrincipal = (value) => ({
  authenticated: { principalName: { safeRegex: { regex: `.*/ns/${asRegex(value)}/.*` } } },
});

/** The address that the connection comes from. */
export const fromAddress: ToPrincipal = (range) => ({ directRemoteIp: rangeOf(range) });

/** The caller's address as proxies before this one say it. */
export const fromRemoteAddress: ToPrincipal = (range) => ({ remoteIp: rangeOf(range) });

/** Issuer and subject of the token, with a slash between them. */
export const requestPrincipal: ToPrincipal = (value) => {
  const slash = value.lastIndexOf("/");
  const parts: readonly (readonly [claim: string, value: string])[] =
    value === "*"
      ? [
          ["iss", "*"],
          ["sub", "*"],
        ]
      : slash < 0
        ? [[value.startsWith("*") ? "sub" : "iss", value]]
        : [
            ["iss", value.slice(0, slash)],
            ["sub", value.slice(slash + 1)],
          ];
  return allOf(parts.map(([claim, part]) => ({ metadata: payloadMatcher([claim], valueMatcher(part)) })));
};

/** A claim of the token, which may be a list. */
export function claim(path: readonly string[]): ToPrincipal {
  return (value) => ({ metadata: payloadMatcher(path, valueMatcher(value)) });
}

function payloadMatcher(
  path: readonly string[],
  stringMatch: NonNullable<ValueMatcherJson["stringMatch"]>,
): MetadataMatcherJson {
  return {
    filter: jwtFilter,
    path: ["payload", ...path].map((key) => ({ key })),
    value: {
      orMatch: { valueMatchers: [{ stringMatch }, { listMatch: { oneOf: { stringMatch } } }] },
    },
  };
}
