/**
 * Labels and annotations as Kubernetes' downward API writes them: lines of `key="value"`.
 */

/** The pairs of a downward API file, or the number of the first line that cannot be read. */
export type PodInfo =
  | { readonly kind: "read"; readonly values: Readonly<Record<string, string>> }
  | { readonly kind: "invalid"; readonly line: number };

/** Lines without `=` are passed over, as Istio does. */
export function parsePodInfo(text: string): PodInfo {
  const values: Record<string, string> = {};
  for (const [index, line] of text.split("\n").entries()) {
    const at = line.indexOf("=");
    if (at < 0) continue;
    try {
      const value: unknown = JSON.parse(line.slice(at + 1).trim());
      if (typeof value !== "string") return { kind: "invalid", line: index + 1 };
      values[line.slice(0, at).trim()] = value;
    } catch {
      return { kind: "invalid", line: index + 1 };
    }
  }
  return { kind: "read", values };
}
