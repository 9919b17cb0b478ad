/**
 * Runs checks side by side, each with a deadline, so that none hides or holds up another.
 */
import { errorMessage } from "../lifecycle/error-message.ts";
import { Timer } from "../lifecycle/timer.ts";
import { type Finding, warning } from "./finding.ts";
import { outOfTime } from "./out-of-time.ts";

/** A look at one thing. */
export interface Check {
  /** Name of the finding when the check itself fails. */
  readonly name: string;
  /** May throw; `signal` aborts at the deadline. */
  readonly run: (signal: AbortSignal) => Promise<readonly Finding[]> | readonly Finding[];
}

/**
 * Every check's findings, in the order of `checks`.
 *
 * @param deadlineMs of each check, counted from the call
 */
export async function runChecks(checks: readonly Check[], deadlineMs: number): Promise<readonly Finding[]> {
  const findings = await Promise.all(checks.map((check) => runOne(check, deadlineMs)));
  return findings.flat();
}

async function runOne({ name, run }: Check, deadlineMs: number): Promise<readonly Finding[]> {
  const controller = new AbortController();
  const late = Promise.withResolvers<readonly Finding[]>();
  using _timer = new Timer(deadlineMs, () => {
    controller.abort();
    late.resolve([outOfTime(name, `not finished within ${deadlineMs} ms`)]);
  });
  try {
    return await Promise.race([run(controller.signal), late.promise]);
  } catch (error) {
    return [
      warning(name, `could not be checked: ${errorMessage(error)}`, "make this readable for outrider's user"),
    ];
  } finally {
    controller.abort();
  }
}
