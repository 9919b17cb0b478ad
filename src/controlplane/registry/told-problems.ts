/**
 * What was told of the folder: each problem once, and that it is over.
 */
import type { Logger } from "../../telemetry/log.ts";
import type { ConfigProblem } from "../config/problem.ts";

/** More lines at once are read by nobody: `/debug/configz` has all. */
const mostLines = 100;

/** Tells the problems of one state after the other. */
export class ToldProblems {
  readonly #log: Logger;
  #told = new Set<string>();
  #hadErrors = false;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** The problems of the newest state, all of them. */
  tell(problems: readonly ConfigProblem[]): void {
    const now = new Map(problems.map((problem) => [JSON.stringify(problem), problem]));
    const isWarning = ({ severity }: ConfigProblem): number => (severity === "warning" ? 1 : 0);
    const untold = [...now]
      .flatMap(([key, problem]) => (this.#told.has(key) ? [] : [problem]))
      .toSorted((a, b) => isWarning(a) - isWarning(b));
    for (const { source, line, path, message, severity } of untold.slice(0, mostLines)) {
      const fields = { file: source, line, field: path, reason: message };
      if (severity === "warning") this.#log.warn("configuration does not all take effect", fields);
      else this.#log.error("configuration refused, what was served last stays", fields);
    }
    if (untold.length > mostLines)
      this.#log.warn("more of the configuration is refused, or does not take effect", {
        count: untold.length - mostLines,
      });
    const hasErrors = problems.some(({ severity }) => severity === undefined);
    if (this.#hadErrors && !hasErrors) this.#log.info("configuration is well again");
    this.#hadErrors = hasErrors;
    this.#told = new Set(now.keys());
  }
}
