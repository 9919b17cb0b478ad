/**
 * Documents of configuration, as values or as problems with their places.
 */
import type { DocumentLimits, ReadDocument } from "../../document/limits.ts";
import { readYaml } from "../../document/yaml.ts";
import type { ConfigProblem } from "../../schema/config-problem.ts";

/** Undefined when a problem was added. An empty document is null. */
export function readDocument(
  source: string,
  text: string,
  limits: DocumentLimits,
  problems: ConfigProblem[],
): unknown {
  const document = readYaml(text, limits);
  if (document.kind === "read") return document.value;
  problems.push(...documentProblems(source, document));
  return undefined;
}

/** Each fault with its line and column. */
export function documentProblems(
  source: string,
  { faults }: Extract<ReadDocument, { kind: "refused" }>,
): readonly ConfigProblem[] {
  return faults.map(({ line, column, message }) => ({
    source,
    path: line === undefined ? "" : `line ${line}, column ${column}`,
    message,
  }));
}
