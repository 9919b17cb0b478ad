/** What objects do to each other, as warnings. */
import type { ConfigObject } from "../objects.ts";
import type { ConfigProblem } from "../problem.ts";

/** Something of an object that does not do what its writer may think. @param code Istio's for such a message */
export function warningAt(
  { source, line }: Pick<ConfigObject, "source" | "line">,
  path: string,
  message: string,
  code?: string,
): ConfigProblem {
  return { source, line, path, message, severity: "warning", ...(code === undefined ? {} : { code }) };
}

/** Where an object is, for the message of another. */
export function placeOf({ source, line }: Pick<ConfigObject, "source" | "line">): string {
  return line === 0 ? source : `${source}:${line}`;
}

interface Exported {
  readonly namespace: string;
  readonly spec: { readonly exportTo?: readonly string[] | undefined };
}

/**
 * Where the older of two objects takes the place of the younger one: undefined where no namespace sees both, nothing
 * where all do that see the younger, else ` in` and their names.
 */
export function whereBothAre(older: Exported, younger: Exported): string | undefined {
  const [ofOlder, ofYounger] = [seenBy(older), seenBy(younger)];
  if (ofYounger?.size === 0) return undefined;
  if (ofOlder === undefined) return "";
  const both = [...ofOlder].filter((namespace) => ofYounger?.has(namespace) !== false);
  if (both.length === 0) return undefined;
  return both.length === ofYounger?.size ? "" : ` in ${both.toSorted().join(", ")}`;
}

/** True where a namespace sees the object. */
export function isSeenIn(object: Exported, namespace: string): boolean {
  return seenBy(object)?.has(namespace) !== false;
}

/** Namespaces that see the object; undefined when all do. */
function seenBy({ namespace, spec: { exportTo = [] } }: Exported): ReadonlySet<string> | undefined {
  if (exportTo.length === 0 || exportTo.includes("*")) return undefined;
  return new Set(exportTo.filter((to) => to !== "~").map((to) => (to === "." ? namespace : to)));
}
