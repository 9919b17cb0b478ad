/**
 * Who a rule is about: sources, and what is known of the caller, as principals of Envoy's RBAC.
 */
import type { PrincipalJson } from "../../../proto/envoy/envoy/config/rbac/v3/rbac_pb.js";
import type { MetadataMatcherJson } from "../../../proto/envoy/envoy/type/matcher/v3/metadata_pb.js";
import type { ValueMatcherJson } from "../../../proto/envoy/envoy/type/matcher/v3/value_pb.js";
import type { AuthorizationPolicySpec } from "../../config/objects.ts";
import { rangeOf } from "../connections.ts";
import { combinedWith } from "./combine.ts";
import { jwtFilter } from "./jwt-filter.ts";
import { asRegex, valueMatcher } from "./value-match.ts";

type Rule = NonNullable<AuthorizationPolicySpec["rules"]>[number];

/** Where a caller comes from. */
export type Source = NonNullable<Rule["from"]>[number]["source"];

/** How a value becomes a principal. */
export type ToPrincipal = (value: string) => PrincipalJson;

const anybody: PrincipalJson = { any: true };

/** How principals are combined; without any, anybody. */
export const ofPrincipals = combinedWith<PrincipalJson>({
  any: anybody,
  or: (ids) => ({ orIds: { ids: [...ids] } }),
  and: (ids) => ({ andIds: { ids: [...ids] } }),
  not: (id) => ({ notId: id }),
});

/** All that a source asks of the caller; without what only a request says where there is none. */
export function sourcePrincipals(
  source: Source,
  trustDomains: readonly string[],
  isHttp: boolean,
): readonly PrincipalJson[] {
  const named = principalNamed(trustDomains);
  return [
    ...ofPrincipals.among(named, source.principals, source.notPrincipals),
    ...(isHttp
      ? ofPrincipals.among(requestPrincipal, source.requestPrincipals, source.notRequestPrincipals)
      : []),
    ...ofPrincipals.among(ofNamespace, source.namespaces, source.notNamespaces),
    ...ofPrincipals.among(fromAddress, source.ipBlocks, source.notIpBlocks),
    ...ofPrincipals.among(fromRemoteAddress, source.remoteIpBlocks, source.notRemoteIpBlocks),
  ];
}

/** What policies call the mesh's own trust domain, whatever its name is. */
const ownTrustDomain = "cluster.local";

/** The identity of the certificate. One of a trust domain of the mesh is that of any of them. */
export function principalNamed(trustDomains: readonly string[]): ToPrincipal {
  return (value) => {
    const [domain = "", ...rest] = value.split("/");
    const same = domain === ownTrustDomain || trustDomains.includes(domain) ? trustDomains : [domain];
    return ofPrincipals.anyOf(
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
  return ofPrincipals.allOf(
    parts.map(([claim, part]) => ({ metadata: payloadMatcher([claim], valueMatcher(part)) })),
  );
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
