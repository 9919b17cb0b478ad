/**
 * Labels and annotations as Kubernetes' downward API writes them: lines of `key="value"`.
 */
import { unquoteGo } from "./go-quote.ts";

/** The pairs of a downward API file, or the number of the first line that cannot be read. */
export type PodInfo =
  | { readonly kind: "read"; readonly values: Readonly<Record<string, string>> }
  | { readonly kind: "invalid"; readonly line: number };

/** Lines without `=` are passed over, as Istio does. */
export function parsePodInfo(text: string): PodInfo {
  const values = new Map<string, string>();
  for (const [index, line] of text.split("\n").entries()) {
    const at = line.indexOf("=");
    if (at < 0) continue;
    const value = unquoteGo(line.slice(at + 1).trim());
    if (value === undefined) return { kind: "invalid", line: index + 1 };
    values.set(line.slice(0, at).trim(), value);
  }
  return { kind: "read", values: Object.fromEntries(values) };
}
