/**
 * Values of policies as matchers: as they are, with a `*` at one end, or `*` alone for whatever is there.
 */
import type { StringMatcherJson } from "../../../proto/envoy/envoy/type/matcher/v3/string_pb.js";

/** A value of a policy; `prefix` is what Envoy sees before it. */
export function valueMatcher(value: string, prefix = ""): StringMatcherJson {
  if (value === "*") return { safeRegex: { regex: ".+" } };
  if (value.startsWith("*")) return { suffix: value.slice(1) };
  if (value.endsWith("*")) return { prefix: `${prefix}${value.slice(0, -1)}` };
  return { exact: `${prefix}${value}` };
}

/** A value, but for `*` at its ends, as it stands in a regular expression. */
export function asRegex(value: string): string {
  return value.split("*").map(escaped).join(".*");
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
