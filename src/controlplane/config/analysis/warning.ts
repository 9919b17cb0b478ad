/** What objects do to each other, as warnings. */
import type { ConfigObject } from "../objects.ts";
import type { ConfigProblem } from "../problem.ts";

/** Something of an object that does not do what its writer may think. */
export function warningAt({ source, line }: ConfigObject, path: string, message: string): ConfigProblem {
  return { source, line, path, message, severity: "warning" };
}

/** Where an object is, for the message of another. */
export function placeOf({ source, line }: ConfigObject): string {
  return `${source}:${line}`;
}

/** True for objects that no namespace sees both of. */
export function areApart(
  a: { readonly namespace: string; readonly spec: { readonly exportTo?: readonly string[] | undefined } },
  b: typeof a,
): boolean {
  const own = [a, b].some(({ spec: { exportTo = [] } }) => exportTo.length > 0 && !exportTo.includes("*"));
  return own && a.namespace !== b.namespace;
}
