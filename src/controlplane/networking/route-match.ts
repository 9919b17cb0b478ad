/**
 * Which requests a route is for.
 */
import type {
  HeaderMatcherJson,
  QueryParameterMatcherJson,
  RouteMatchJson,
} from "../../proto/envoy/envoy/config/route/v3/route_components_pb.js";
import type { StringMatcherJson } from "../../proto/envoy/envoy/type/matcher/v3/string_pb.js";
import type { HttpMatch, StringMatch } from "../config/objects.ts";

/**
 * The conditions of a match, all of which a request must meet.
 *
 * @param byParts prefixes are of whole parts of a path, as in the Gateway API
 */
export function routeMatch(match: HttpMatch, byParts = false): RouteMatchJson {
  const pseudo = { ":method": match.method, ":authority": match.authority, ":scheme": match.scheme };
  const headers: HeaderMatcherJson[] = [
    ...Object.entries(match.headers ?? {}).map(([name, value]) => headerMatcher(name, value)),
    ...Object.entries(match.withoutHeaders ?? {}).map(([name, value]) => withoutHeader(name, value)),
    ...Object.entries(pseudo).flatMap(([name, value]) =>
      value === undefined ? [] : [headerMatcher(name, value)],
    ),
  ];
  const queryParameters = Object.entries(match.queryParams ?? {}).map(
    ([name, value]): QueryParameterMatcherJson =>
      isPresence(value) ? { name, presentMatch: true } : { name, stringMatch: stringMatcher(value) },
  );
  return {
    ...pathMatch(match.uri, byParts),
    ...(match.ignoreUriCase === true ? { caseSensitive: false } : {}),
    ...(headers.length === 0 ? {} : { headers }),
    ...(queryParameters.length === 0 ? {} : { queryParameters }),
  };
}

/** `{}` asks whether it is there at all. */
function isPresence(value: StringMatch): boolean {
  return value.exact === undefined && value.prefix === undefined && value.regex === undefined;
}

function headerMatcher(name: string, value: StringMatch): HeaderMatcherJson {
  return isPresence(value) ? { name, presentMatch: true } : { name, stringMatch: stringMatcher(value) };
}

/** A header that is not there has no such value, too. */
function withoutHeader(name: string, value: StringMatch): HeaderMatcherJson {
  const isPresent = isPresence(value);
  return {
    ...headerMatcher(name, value),
    invertMatch: true,
    ...(isPresent ? {} : { treatMissingHeaderAsEmpty: true }),
  };
}

function pathMatch(uri: StringMatch | undefined, byParts: boolean): RouteMatchJson {
  if (uri?.exact !== undefined) return { path: uri.exact };
  if (uri?.regex !== undefined) return { safeRegex: { regex: uri.regex } };
  if (byParts && uri?.prefix !== undefined && uri.prefix !== "/")
    return { pathSeparatedPrefix: uri.prefix.replace(/\/$/, "") };
  return { prefix: uri?.prefix ?? "/" };
}

/** As Envoy has it. */
export function stringMatcher(match: StringMatch): StringMatcherJson {
  if (match.exact !== undefined) return { exact: match.exact };
  if (match.prefix !== undefined) return { prefix: match.prefix };
  return { safeRegex: { regex: match.regex ?? "" } };
}
