/** Something that is wrong now, whether or not the workload may be sent traffic. */

/** A problem. Fields are only ever added. */
export interface Problem {
  /** The same for the same trouble, whatever the words: the metric's label. */
  readonly cause: string;
  /** What is seen, with names. */
  readonly reason: string;
  /** What to do about it; left out where the reason says it. */
  readonly remedy?: string;
  /** ISO 8601. */
  readonly since: string;
}

/** A problem as it is found at one moment. */
export interface FoundProblem extends Omit<Problem, "since"> {
  /** True where the part that has it writes the log's first line itself. */
  readonly isTold?: true;
}
