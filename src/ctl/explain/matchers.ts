/**
 * Envoy's matchers of texts, headers, queries and addresses, evaluated (envoy.type.matcher.v3, HeaderMatcher). Pure.
 */
import { isIP } from "node:net";
import { RE2JS } from "re2js";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { at, textAt } from "../../lifecycle/json-path.ts";
import { inCidr } from "./in-cidr.ts";
import { headerOf, type Request } from "./request.ts";
import { UnevaluatedError } from "./unevaluated-error.ts";

/** StringMatcher. */
export function matchesString(matcher: unknown, value: string): boolean {
  const ignoresCase = at(matcher, "ignore_case") === true;
  const fold = (text: string): string => (ignoresCase ? text.toLowerCase() : text);
  const own = fold(value);
  const [exact, prefix, suffix, contains] = ["exact", "prefix", "suffix", "contains"].map((name) =>
    textAt(matcher, name),
  );
  if (exact !== undefined) return own === fold(exact);
  if (prefix !== undefined) return own.startsWith(fold(prefix));
  if (suffix !== undefined) return own.endsWith(fold(suffix));
  if (contains !== undefined) return own.includes(fold(contains));
  const regex = textAt(matcher, "safe_regex", "regex");
  return regex !== undefined && matchesRegex(regex, value);
}

/** RE2, of the whole text. @throws UnevaluatedError */
export function matchesRegex(regex: string, value: string): boolean {
  return compiled(regex).matches(value);
}

/**
 * What `RE2::GlobalReplace` makes of a text: each match replaced, where `\1` stands for a group, `\0` for the match and
 * `\\` for a backslash.
 *
 * @throws UnevaluatedError
 */
export function replacedByRegex(value: string, regex: string, substitution: string): string {
  const matcher = compiled(regex).matcher(value);
  let [result, end] = ["", -1];
  while (matcher.find()) {
    // RE2 takes no empty match right behind another one.
    if (matcher.start() === matcher.end() && matcher.start() === end) continue;
    const groups = Array.from({ length: matcher.groupCount() + 1 }, (_, index) => matcher.group(index) ?? "");
    result += value.slice(Math.max(0, end), matcher.start());
    result += substitution.replaceAll(/\\([\d\\])/g, (_, sign: string) =>
      sign === "\\" ? sign : (groups[Number(sign)] ?? ""),
    );
    end = matcher.end();
  }
  return result + value.slice(Math.max(0, end));
}

function compiled(regex: string): RE2JS {
  try {
    return RE2JS.compile(regex);
  } catch (error) {
    throw new UnevaluatedError(
      `the regular expression ${JSON.stringify(regex)} cannot be evaluated here: ${errorMessage(error)}. Nothing is ` +
        "foretold of requests that depend on it",
      { cause: error },
    );
  }
}

/** HeaderMatcher. A header that is not there has no value to compare, unless the matcher says that it is empty then. */
export function matchesHeader(matcher: unknown, request: Request): boolean {
  const value = headerOf(request, textAt(matcher, "name") ?? "");
  const isInverted = at(matcher, "invert_match") === true;
  const text = at(matcher, "string_match");
  const legacy = ["exact_match", "prefix_match", "suffix_match", "contains_match"].find(
    (name) => textAt(matcher, name) !== undefined,
  );
  if (text === undefined && legacy === undefined) {
    const isWanted = at(matcher, "present_match") !== false;
    return ((value !== undefined) === isWanted) !== isInverted;
  }
  if (value === undefined && at(matcher, "treat_missing_header_as_empty") !== true) return false;
  const wanted = legacy === undefined ? text : { [legacy.replace("_match", "")]: textAt(matcher, legacy) };
  return matchesString(wanted, value ?? "") !== isInverted;
}

/** QueryParameterMatcher. */
export function matchesQuery(matcher: unknown, request: Request): boolean {
  const [, query = ""] = request.path.split("?");
  const value = new URLSearchParams(query).get(textAt(matcher, "name") ?? "");
  const text = at(matcher, "string_match");
  if (text === undefined) return value !== null;
  return value !== null && matchesString(text, value);
}

/** CidrRange. */
export function matchesRange(range: unknown, address: string): boolean {
  const prefix = textAt(range, "address_prefix") ?? "";
  if (isIP(prefix) === 0 || isIP(address) === 0) return false;
  return inCidr(address, prefix, Number(at(range, "prefix_len") ?? 0));
}
