/**
 * Labels and annotations as Kubernetes' downward API writes them: lines of `key="value"`.
 */
import type { ConfigProblem } from "../../schema/config-problem.ts";
import type { ConfigSources } from "./config-sources.ts";
import { optionalFile } from "./optional-file.ts";
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

/** Labels or annotations of the pod; undefined where the downward API has no file. */
export type PodValues = Readonly<Record<string, string>> | undefined;

/** Labels or annotations; a line that cannot be read is a problem. */
export function readPodInfo(
  sources: Pick<ConfigSources, "readFile">,
  path: string,
  problems: ConfigProblem[],
): PodValues {
  const text = optionalFile(sources, path, problems);
  if (text === "") return undefined;
  const info = parsePodInfo(text);
  if (info.kind === "read") return info.values;
  problems.push({ source: path, path: `line ${info.line}`, message: 'is not of the form key="value"' });
  return undefined;
}
