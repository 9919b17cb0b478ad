/**
 * A file of configuration that need not be there.
 */
import type { ConfigProblem } from "../../schema/config-problem.ts";
import type { ConfigSources } from "./config-sources.ts";

/** A file that may be missing; one that is there but unreadable is a problem. */
export function optionalFile(
  sources: Pick<ConfigSources, "readFile">,
  path: string,
  problems: ConfigProblem[],
): string {
  const content = sources.readFile(path);
  if (content.kind === "unreadable") problems.push({ source: path, path: "", message: content.message });
  return content.kind === "read" ? content.text : "";
}
