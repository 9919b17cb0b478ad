/** One thing wrong with the configuration. */
export interface ConfigProblem {
  /** Path of the file, or what else its source calls the place. */
  readonly source: string;
  /** Line, counted from 1; 0 when the problem is the place itself. */
  readonly line: number;
  /** Path of the field, such as `spec.http[0].route[1].weight`; empty for the whole document. */
  readonly path: string;
  /** What is wrong and what to do. */
  readonly message: string;
  /** Istio's code for a message of this kind, such as `IST0101`, where it has one. */
  readonly code?: string;
  /** The object that is refused for it, as `objectId` names it. */
  readonly refuses?: string;
  /** Undefined for an error, which keeps its object from being served; a warning leaves it in service. */
  readonly severity?: "warning";
}

/** "mesh/api.yaml:12: spec.ports[0].number: …". */
export function describeConfigProblem({ source, line, path, message }: ConfigProblem): string {
  return [line === 0 ? source : `${source}:${line}`, path, message].filter((part) => part !== "").join(": ");
}
