/**
 * What analyze finds in the mesh's folders.
 */
import type { Bundle } from "../../beside/bundle/bundle.ts";
import { findingLine, findingsOf } from "../analyze/finding.ts";
import { readInputs } from "../analyze/read-inputs.ts";

/** As lines; undefined where there is no folder. */
export async function addAnalysis(
  bundle: Bundle,
  folders: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  if (folders.length === 0) {
    bundle.miss("analysis", "no control plane with a folder runs here: name the folder with --config");
    return undefined;
  }
  const { problems, texts, unreadable, empty } = await readInputs(folders, signal);
  for (const line of [...unreadable, ...empty]) bundle.miss("analysis", line);
  const findings = findingsOf(problems, (source) => texts.get(source));
  const lines = findings.map(findingLine);
  await bundle.add("analysis.json", JSON.stringify(findings, undefined, 2));
  await bundle.add("analysis.txt", lines.map((line) => `${line}\n`).join(""));
  return lines;
}
