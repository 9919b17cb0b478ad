/** What spans several fields of a RequestAuthentication. */
import { isKeySetUrl } from "../forms.ts";
import type { RequestAuthenticationSpec } from "../objects.ts";
import type { Complaint } from "./complaint.ts";
import { oneWayToSelect } from "./selection.ts";

/** Every broken rule. */
export function requestAuthentication(spec: RequestAuthenticationSpec): readonly Complaint[] {
  return [...oneWayToSelect(spec), ...keys(spec)];
}

function keys({ jwtRules = [] }: RequestAuthenticationSpec): readonly Complaint[] {
  return jwtRules.flatMap(({ issuer, jwks, jwksUri }, index): readonly Complaint[] => {
    const path = `spec.jwtRules[${index}]`;
    if (jwks !== undefined && jwksUri !== undefined)
      return [[`${path}.jwksUri`, "is not asked, as jwks is there: remove one of them", "warning"]];
    if (jwks !== undefined || jwksUri !== undefined || isKeySetUrl(issuer)) return [];
    return [
      [
        path,
        "has no keys, and the issuer is no URL that says where they are: give jwks or jwksUri",
        "warning",
      ],
    ];
  });
}
