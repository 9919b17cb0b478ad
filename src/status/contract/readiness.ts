/** Whether the workload may be sent traffic. */

/** Ready, or why not. */
export type Readiness = (
  | {
      readonly ready: true;
      /** What a reader should know all the same. */
      readonly note?: string;
    }
  | { readonly ready: false; readonly reason: string }
) & {
  /** What it depends on, in the order in which it comes about. */
  readonly conditions?: readonly Condition[];
};

/** One thing that readiness depends on. */
export interface Condition {
  readonly name: string;
  /** `unknown` while one before it does not hold. */
  readonly status: "holds" | "fails" | "unknown";
  /** ISO 8601: since when this status is known. */
  readonly since: string;
  /** Why it fails. */
  readonly reason?: string;
  /** What to do about it. */
  readonly remedy?: string;
}

/** A condition as it is found at one moment. */
export type ConditionFinding = Omit<Condition, "since">;
