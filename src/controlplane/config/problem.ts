/** One thing wrong with a configuration file. */
export interface FileProblem {
  /** Path of the file. */
  readonly source: string;
  /** Line, counted from 1; 0 when the problem is the file itself. */
  readonly line: number;
  /** Path of the field, such as `spec.http[0].route[1].weight`; empty for the whole document. */
  readonly path: string;
  /** What is wrong and what to do. */
  readonly message: string;
}

/** "mesh/api.yaml:12: spec.ports[0].number: …". */
export function describeFileProblem({ source, line, path, message }: FileProblem): string {
  return [line === 0 ? source : `${source}:${line}`, path, message].filter((part) => part !== "").join(": ");
}
