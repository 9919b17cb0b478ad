/**
 * What a registry demands in WWW-Authenticate (RFC 9110, and the token specification of the distribution project).
 * Pure.
 */

/** How to authenticate. */
export type Challenge =
  | { readonly kind: "basic" }
  | { readonly kind: "bearer"; readonly realm: URL; readonly service: string; readonly scope: string }
  | { readonly kind: "unusable"; readonly reason: string };

/** Longest header that is looked at. */
const longest = 8_192;

/** Read the header; of several challenges Bearer is preferred. */
export function readChallenge(header: string | undefined): Challenge {
  if (header === undefined || header.length > longest)
    return unusable("it demands credentials and does not say which");
  const bearer = /(?:^|,\s*)bearer\s+(.*)$/is.exec(header)?.[1];
  if (bearer === undefined)
    return /(?:^|,\s*)basic(?:\s|$)/i.test(header)
      ? { kind: "basic" }
      : unusable("it demands credentials of an unknown kind");
  const parameters: Record<string, string> = {};
  for (const [, name = "", quoted, plain] of bearer.matchAll(/(\w+)=(?:"([^"]*)"|([^\s",]+))/g))
    parameters[name.toLowerCase()] ??= quoted ?? plain ?? "";
  const realm = URL.parse(parameters["realm"] ?? "");
  if (realm === null || (realm.protocol !== "https:" && realm.protocol !== "http:"))
    return unusable("it names no usable place for tokens");
  if (realm.username !== "" || realm.password !== "")
    return unusable("it names a place for tokens with credentials");
  return { kind: "bearer", realm, service: parameters["service"] ?? "", scope: parameters["scope"] ?? "" };
}

function unusable(reason: string): Challenge {
  return { kind: "unusable", reason };
}
