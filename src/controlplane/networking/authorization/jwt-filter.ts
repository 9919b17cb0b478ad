/**
 * RequestAuthentications as Envoy's filter for JSON Web Tokens: a token that is there must be good.
 */
import {
  JwtAuthenticationSchema,
  type JwtProviderJson,
  type JwtRequirementJson,
} from "../../../proto/envoy/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js";
import type { RequestAuthenticationSpec } from "../../config/objects.ts";
import { packed } from "../any.ts";
import type { HttpFilter } from "../filters.ts";
import { noKeys } from "./no-keys.ts";

/** Name of the filter, under which it says what is in the token. */
export const jwtFilter = "envoy.filters.http.jwt_authn";

type JwtRule = NonNullable<RequestAuthenticationSpec["jwtRules"]>[number];

/** The filter of all rules that apply; none without a rule. */
export function jwtFilters(specs: readonly RequestAuthenticationSpec[]): readonly HttpFilter[] {
  const rules = specs
    .flatMap(({ jwtRules = [] }) => jwtRules)
    .toSorted((a, b) => (a.issuer < b.issuer ? -1 : Number(a.issuer > b.issuer)));
  if (rules.length === 0) return [];
  const providers = new Map(rules.map((rule, index) => [`origins-${index}`, provider(rule)]));
  return [
    {
      name: jwtFilter,
      typedConfig: packed(JwtAuthenticationSchema, {
        providers: Object.fromEntries(providers),
        rules: [{ match: { prefix: "/" }, requires: requirement([...providers.keys()]) }],
        bypassCorsPreflight: true,
      }),
    },
  ];
}

function provider(rule: JwtRule): JwtProviderJson {
  return {
    issuer: rule.issuer,
    ...(rule.audiences === undefined ? {} : { audiences: [...rule.audiences] }),
    localJwks: { inlineString: rule.jwks ?? noKeys },
    ...(rule.fromHeaders === undefined
      ? {}
      : {
          fromHeaders: rule.fromHeaders.map(({ name, prefix }) => ({
            name,
            ...(prefix === undefined ? {} : { valuePrefix: prefix }),
          })),
        }),
    ...(rule.fromParams === undefined ? {} : { fromParams: [...rule.fromParams] }),
    ...(rule.fromCookies === undefined ? {} : { fromCookies: [...rule.fromCookies] }),
    ...(rule.outputPayloadToHeader === undefined ? {} : { forwardPayloadHeader: rule.outputPayloadToHeader }),
    ...(rule.outputClaimToHeaders === undefined
      ? {}
      : {
          claimToHeaders: rule.outputClaimToHeaders.map(({ header, claim }) => ({
            headerName: header,
            claimName: claim,
          })),
        }),
    forward: rule.forwardOriginalToken ?? false,
    payloadInMetadata: "payload",
    // OAuth 2.0 writes these lists as one text (RFC 6749, section 3.3): a policy asks for one of their parts.
    normalizePayloadInMetadata: { spaceDelimitedClaims: ["permission", "scope"] },
  };
}

/** A good token of any issuer, or none at all: whoever must have one is an AuthorizationPolicy's matter. */
function requirement(names: readonly string[]): JwtRequirementJson {
  const orNone = names.map((providerName): JwtRequirementJson => ({
    requiresAny: { requirements: [{ providerName }, { allowMissing: {} }] },
  }));
  const [only, ...others] = orNone;
  if (only !== undefined && others.length === 0) return only;
  return {
    requiresAny: {
      requirements: [
        ...names.map((providerName) => ({ providerName })),
        { requiresAll: { requirements: orNone } },
      ],
    },
  };
}
