/** Names of metrics, as an expression for all of the name. */
import type { Setting } from "../../schema/setting.ts";

/** Longest expression, in characters. */
const longest = 4_096;

/** Undefined is none. */
export function metricNames(describe: string): Setting<string | undefined> {
  return {
    type: "string",
    default: undefined,
    defaultText: "",
    describe,
    parse: (text) => (isExpression(text) ? text : undefined),
    kind: "a regular expression of RE2, such as envoy_cluster_.*",
  };
}

/** What an engine of linear time can do: no look-around, no references to what a group has found. */
function isExpression(text: string): boolean {
  if (text.length > longest || /\(\?(?:[=!]|<[=!])|\\(?:[1-9]|k<)/.test(text)) return false;
  try {
    return new RegExp(text, "u") instanceof RegExp;
  } catch {
    return false;
  }
}
