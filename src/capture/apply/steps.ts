/** Changes that are made one after the other, and taken back in reverse when one fails. */
import { type CaptureOutcome, failureCode } from "./outcome.ts";

/** One change. Both resolve with what went wrong; undefined when nothing did. */
export interface Step {
  /** For people: "IPv4 rules". */
  readonly what: string;
  readonly make: () => Promise<string | undefined>;
  /** Also for one that has failed half-way. */
  readonly takeBack: () => Promise<string | undefined>;
}

/** All of them, or none. */
export async function makeAll(steps: readonly Step[]): Promise<CaptureOutcome> {
  const begun: Step[] = [];
  for (const step of steps) {
    begun.unshift(step);
    const problem = await step.make();
    if (problem === undefined) continue;
    const left: string[] = [];
    for (const earlier of begun) {
      const remaining = await earlier.takeBack();
      if (remaining !== undefined) left.push(`${earlier.what}: ${remaining}`);
    }
    return { kind: "failed", code: failureCode(problem), message: `${step.what}: ${problem}`, left };
  }
  return steps.length === 0
    ? { kind: "unchanged" }
    : { kind: "changed", what: steps.map(({ what }) => what) };
}
